"""The codec package must be importable with a working, a broken and a missing torchaudio."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
WORKING = "__version__ = '0'"
NEEDS_CUDA = "raise OSError('libcudart.so: cannot open shared object file')"
OTHER_CUDA = "raise RuntimeError('compiled with different CUDA versions')"
MISSING = "raise ModuleNotFoundError(\"No module named 'torchaudio'\")"


def run_python(code: str, first_on_path: Path) -> list[str]:
    """Run `code` in a fresh interpreter, where modules in `first_on_path` win, and return its lines."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(first_on_path), str(REPOSITORY)])}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("torchaudio", [NEEDS_CUDA, OTHER_CUDA, MISSING])
def test_codec_works_where_torchaudio_cannot_be_imported(tmp_path: Path, torchaudio: str) -> None:
    (tmp_path / "torchaudio.py").write_text(torchaudio)
    code = """
import sys, torch
from model.codec import import_dac
codec = import_dac().DAC(encoder_dim=2, encoder_rates=[8, 64], decoder_dim=8, decoder_rates=[64, 8])
codes = codec.encode(torch.zeros(1, 1, 4 * 512))[1]
print(*codes.shape, "torchaudio" in sys.modules)
"""
    assert run_python(code, tmp_path) == ["1", "9", "4", "False"]


def test_working_torchaudio_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "torchaudio.py").write_text(WORKING)
    code = """
import sys
from model.codec import import_dac
import_dac()
import torchaudio, audiotools.core.loudness
print(torchaudio.__version__, audiotools.core.loudness.torchaudio is torchaudio)
"""
    assert run_python(code, tmp_path) == ["0", "True"]


def test_tensorboard_is_left_to_those_who_want_it(tmp_path: Path) -> None:
    code = """
import sys
from model.codec import import_dac
import_dac()
print("tensorboard" in sys.modules)
from torch.utils.tensorboard import SummaryWriter
print(SummaryWriter.__name__)
"""
    assert run_python(code, tmp_path) == ["False", "SummaryWriter"]


def test_importing_the_module_does_not_import_the_codec_package(tmp_path: Path) -> None:
    code = "import sys, model.codec; print('dac' in sys.modules, 'audiotools' in sys.modules)"
    assert run_python(code, tmp_path) == ["False", "False"]
