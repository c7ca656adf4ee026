"""The service of the user that the README tells of is one that systemd takes."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_service_is_in_order(tmp_path: Path) -> None:
    unit = tmp_path / "masksr-live.service"
    unit.write_text(re.findall(r"```ini\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[0])
    python = tmp_path / "masksr-live/.venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    found = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)],
        env=os.environ | {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in found.stderr.splitlines() if unit.stem in line]
    assert (found.returncode, complaints) == (0, [])
