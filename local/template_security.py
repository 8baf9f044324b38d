"""Has checkov read the built template, as a first deploy has it and with everything switched on."""

from __future__ import annotations

import re
import subprocess
import sys

import tools
from console import Failed, say
from paths import BUILD, ROOT, STATE

EVERYTHING = {
    "AlarmEmail": "somebody@example.com",
    "AlertPhoneNumber": "+15550100123",
    "BrokerArn": "arn:aws:mq:us-east-1:123456789012:broker:orders:b-1",
    "BrokerSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders",
    "EnableStreams": "true",
    "Encryption": "key",
    "ProducerAccountIds": "210987654321",
}
"""What is off by default. checkov leaves out what stands under a condition that its parameters' defaults do not meet."""


def switched_on(template: str) -> str:
    """The template with the defaults of `EVERYTHING`."""
    for name, value in EVERYTHING.items():
        default = re.compile(rf"^(  {name}:\n    Type: \w+\n    Default: ).*$", re.MULTILINE)
        template, found = default.subn(lambda match: f"{match[1]}'{value}'", template)
        if found != 1:
            raise Failed(f"the template has no parameter {name} with a default under its type")
    return template


def main() -> int:
    """Runs checkov twice; its exit code says whether a check failed."""
    try:
        checkov = tools.ensure("checkov") / "checkov"
        built = BUILD / "template.yaml"
        if not built.exists():
            raise Failed("no template has been built: `make build` builds it")
        everything = STATE / "template-with-everything.yaml"
        everything.write_text(switched_on(built.read_text()))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    codes = []
    for template in (built, everything):
        say(f"{template.relative_to(ROOT)}:")
        command = [checkov, "--config-file", ROOT / ".checkov.yaml", "--file", template]
        codes.append(subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode)
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
