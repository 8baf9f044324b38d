"""Prints the outputs of the local stack as JSON: `outputs.py ENDPOINT`. Run by the ministack environment's Python, which has boto3."""

from __future__ import annotations

import json
import sys

import clients
from deploy import STACK_NAME, client_environment


def main() -> None:
    """Asks CloudFormation."""
    cloudformation = clients.client(client_environment(sys.argv[1]), "cloudformation")
    stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    print(json.dumps({output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}))


if __name__ == "__main__":
    main()
