"""What deploying asks of the local AWS: `asked.py ENDPOINT bucket|outputs`. Run by the ministack environment's Python, which has boto3."""

from __future__ import annotations

import json
import sys

import clients
from deploy import BUCKET, STACK_NAME, client_environment

def main() -> None:
    """Prints the answer."""
    endpoint, question = sys.argv[1:]
    settings = client_environment(endpoint)
    if question == "bucket":
        clients.client(settings, "s3").create_bucket(Bucket=BUCKET)
    else:
        stack = clients.client(settings, "cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        print(json.dumps({output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}))


if __name__ == "__main__":
    main()
