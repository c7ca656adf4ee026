"""Weights in DAC's own format become a bundle that codes and decodes exactly as they do."""

from pathlib import Path
from typing import Any

import pytest
import torch

from model.bundle import Bundle
from model.codec import build_dac, import_dac
from model.errors import BundleError
from model.official_codec import import_official_codec

SMALL = {"encoder_dim": 2, "encoder_rates": [8, 64], "decoder_dim": 8, "decoder_rates": [64, 8]}


def save_dac(path: Path, **arguments: Any) -> Any:
    """A `dac.DAC` with random weights, saved as its authors save theirs."""
    torch.manual_seed(0)
    codec = import_dac().DAC(**arguments).eval()
    codec.save(path, package=False)
    return codec


def load_dac(folder: Path) -> Any:
    bundle = Bundle.load(folder)
    codec = build_dac(bundle.config.codec).eval()
    codec.load_state_dict(bundle.codec)
    return codec


@torch.no_grad()
def test_codec_of_the_official_size_is_imported_whole(tmp_path: Path) -> None:
    original = save_dac(tmp_path / "weights.pth")  # the constructor's defaults are the official 44 kHz codec
    import_official_codec(tmp_path / "weights.pth", tmp_path / "official")
    imported = load_dac(tmp_path / "official")
    assert imported.n_codebooks == 9
    audio = 0.1 * torch.randn(1, 1, 4 * 512)
    latents, codes, *_ = original.encode(audio)
    imported_latents, imported_codes, *_ = imported.encode(audio)
    assert torch.equal(codes, imported_codes)
    assert torch.equal(original.decode(latents), imported.decode(imported_latents))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_dac(tmp_path / "weights.pth", **SMALL)
    return tmp_path / "weights.pth"


def refusal(weights: Path) -> str:
    """Why `weights` is refused; nothing may be written then."""
    output = weights.parent / "output"
    with pytest.raises(BundleError) as caught:
        import_official_codec(weights, output)
    assert not output.exists()
    assert str(weights) in str(caught.value)
    return str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "weights.pth")


def test_truncated_file(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "download it again" in refusal(weights)


def test_text_file(weights: Path) -> None:
    weights.write_text("not found")
    assert "download it again" in refusal(weights)


class Intruder:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('code in a weights file was run')",)


def test_code_in_the_file_is_not_run(weights: Path) -> None:
    torch.save({"state_dict": {}, "metadata": {"kwargs": {}}, "surprise": Intruder()}, weights)
    assert "holds more than weights" in refusal(weights)


@pytest.mark.parametrize(
    "content", [[1], {"a": 1}, {"state_dict": {"a": "b"}, "metadata": {"kwargs": SMALL}}]
)
def test_file_of_another_model(weights: Path, content: object) -> None:
    torch.save(content, weights)
    assert "choose another file" in refusal(weights)


def test_codec_of_another_rate(tmp_path: Path) -> None:
    save_dac(tmp_path / "weights.pth", **SMALL, sample_rate=24_000)
    assert "choose the 44.1 kHz weights" in refusal(tmp_path / "weights.pth")


def test_codec_of_another_hop(tmp_path: Path) -> None:
    save_dac(tmp_path / "weights.pth", **SMALL | {"encoder_rates": [8, 8], "decoder_rates": [8, 8]})
    assert "512-sample frames" in refusal(tmp_path / "weights.pth")


def test_weights_that_lack_a_tensor(weights: Path) -> None:
    saved = torch.load(weights)
    del saved["state_dict"]["encoder.block.0.bias"]
    torch.save(saved, weights)
    assert "tensor 'encoder.block.0.bias' is missing" in refusal(weights)


def test_existing_bundle_is_left_alone(weights: Path, tmp_path: Path) -> None:
    import_official_codec(weights, tmp_path / "output")
    before = (tmp_path / "output" / "codec.safetensors").read_bytes()
    with pytest.raises(BundleError, match="exists already"):
        import_official_codec(weights, tmp_path / "output")
    assert (tmp_path / "output" / "codec.safetensors").read_bytes() == before
