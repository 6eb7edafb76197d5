"""Prints a requirements file: a package and all that it pulls in, each at one version and with the hashes of its wheels.

    python3.13 end2end/agent/pin.py acapy-agent==1.7.0 >end2end/agent/requirements.txt
    python3.13 end2end/agent/pin.py --no-deps aries-askar==0.3.2 >end2end/agent/credo/requirements.txt
    PYTHONS="3.11 3.12 3.13 3.14" python3.11 end2end/agent/pin.py schemathesis==4.32.5 >end2end/api/requirements.txt

The versions are those that pip takes here and now. With the hashes nothing else can be installed, whichever index pip asks;
they are of the wheels for the Pythons and machines below.
"""

import json
import os
import subprocess
import sys
import tempfile

PYTHONS = os.environ.get("PYTHONS", "3.13 3.14").split()
GLIBC = ["2_17", "2_24", "2_26", "2_27", "2_28", "2_31", "2_34", "2_35"]


def linux(architecture, newest):
    """The tags of a Linux with this glibc: many packages have another wheel for a newer one."""
    versions = GLIBC[: GLIBC.index(newest) + 1]
    return [f"manylinux_{version}_{architecture}" for version in versions] + [f"manylinux2014_{architecture}"]


MACHINES = [
    *(linux(architecture, newest) for architecture in ("x86_64", "aarch64") for newest in ("2_28", "2_35")),
    [f"macosx_{version}_0_{kind}" for version in range(10, 16) for kind in ("arm64", "universal2")],
]


def resolve(*arguments):
    """What pip would install, as pairs of name==version and hash."""
    with tempfile.NamedTemporaryFile() as report:
        options = ["--quiet", "--dry-run", "--ignore-installed", "--only-binary=:all:", f"--report={report.name}"]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, *arguments], check=True)
        return [
            (
                f"{one['metadata']['name']}=={one['metadata']['version']}",
                one["download_info"]["archive_info"]["hashes"]["sha256"],
            )
            for one in json.load(report)["install"]
        ]


pins = {pin: {digest} for pin, digest in resolve(*sys.argv[1:])}
for python in PYTHONS:
    for machine in MACHINES:
        tags = [f"--platform={tag}" for tag in machine]
        # pip asks for a target with these, and leaves it alone in a dry run.
        for pin, digest in resolve("--no-deps", "--target=none", f"--python-version={python}", *tags, *pins):
            pins[pin].add(digest)

print(f"# Made by: pin.py {' '.join(sys.argv[1:])}")
for pin in sorted(pins, key=str.lower):
    print(" ".join([pin, *(f"--hash=sha256:{digest}" for digest in sorted(pins[pin]))]))
