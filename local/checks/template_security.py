"""Has checkov read the built template, as a first deploy has it and with everything switched on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import environment
import tools
from build import build
from console import Failed, say
from paths import ROOT, STATE

EVERYTHING = {
    "AlertPhoneNumber": "+15550100123",
    "BrokerArn": "arn:aws:mq:us-east-1:123456789012:broker:orders:b-1",
    "BrokerSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders",
    "EnableStreams": "true",
    "Encryption": "key",
    "ProducerAccountIds": "210987654321",
    "Scale": "large",
    "Tracing": "Active",
}
"""What is off by default."""

SKIPPED = {
    "CKV_AWS_116": "a function's own dead-letter queue: each has an on-failure destination, which keeps the error beside the event",
    "CKV_AWS_117": "a network: they call only AWS, over TLS; its NAT gateway costs 32 USD a month and would keep nobody out",
    "CKV_AWS_115": "reserved concurrency: a new account refuses any; the mappings' MaximumConcurrency bounds what queues start",
}
"""What is asked of every function and not done, with the reason. What concerns one resource is skipped in template.yaml."""

SKIPPED_WITHOUT_A_KEY = {
    "CKV_AWS_26": "a topic's key: none but a customer's lets S3 and alarms in",
    "CKV_AWS_27": "a queue's key: SQS encrypts with its own",
    "CKV_AWS_119": "a table's key: DynamoDB encrypts with the account's",
    "CKV_AWS_158": "a log group's key: CloudWatch encrypts with its own",
    "CKV_AWS_173": "the key of a function's settings: Lambda encrypts with its own, and none is a secret",
}
"""What only a customer's key satisfies: with Encryption=key, as prod has it, none of these is skipped."""


def check(title: str, parameters: dict[str, str], skipped: dict[str, str]) -> bool:
    """Settles the built template under these parameters and runs checkov on it; says whether every check passed."""
    checkov, sam = tools.ensure("checkov"), tools.ensure("sam")
    built = build()
    template = STATE / "test" / f"template-{title}.yaml"
    template.parent.mkdir(parents=True, exist_ok=True)
    pairs = [f"{name}={value}" for name, value in parameters.items()]
    settle = [sam / "python", Path(__file__).with_name("settled_template.py"), built, template, *pairs]
    subprocess.run(settle, env=environment.clean(), check=True)
    say(f"the template with {title}:")
    command = [
        # By its Python: the script begins with a path, which may not have a space in it.
        checkov / "python", "-m", "checkov.main", "--file", template, "--framework", "cloudformation", "--compact", "--quiet",
        # Its rules come with it; nothing is asked of its maker.
        "--skip-download",
        "--skip-check", ",".join(skipped),
    ]
    return subprocess.run(command, cwd=ROOT, env=environment.clean(), stdin=subprocess.DEVNULL).returncode == 0


def main() -> int:
    """Runs checkov twice; the exit code says whether a check failed."""
    try:
        passed = [
            check("defaults", {}, {**SKIPPED, **SKIPPED_WITHOUT_A_KEY}),
            check("everything", EVERYTHING, SKIPPED),
        ]
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError:
        return 1
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
