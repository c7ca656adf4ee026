"""A bundle comes back as it was saved, and anything else in its place gives one sentence with a remedy."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from model.bundle import VERSION, Bundle, BundleConfig, bundle_folder
from model.codec import CodecConfig, build_dac
from model.errors import BundleError
from model.language_model import LanguageModel, LanguageModelConfig

CODEC = CodecConfig(encoder_dim=2, encoder_rates=(8, 64), decoder_dim=8, decoder_rates=(64, 8), n_codebooks=2)
LANGUAGE_MODEL = LanguageModelConfig(width=8, encoder_layers=1, layers=1, heads=2, feed_forward=16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small bundle with a codec alone."""
    torch.manual_seed(0)
    Bundle(BundleConfig(codec=CODEC), build_dac(CODEC).state_dict()).save(tmp_path / "small")
    return tmp_path / "small"


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_codec(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    path = folder / "codec.safetensors"
    tensors = safetensors.torch.load_file(path)
    change(tensors)
    safetensors.torch.save_file(tensors, path)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def test_saved_bundle_loads_as_it_was(folder: Path) -> None:
    torch.manual_seed(0)
    expected = build_dac(CODEC).state_dict()
    bundle = Bundle.load(folder)
    assert bundle.config == BundleConfig(codec=CODEC)
    assert bundle.codec.keys() == expected.keys()
    assert all(torch.equal(bundle.codec[name], expected[name]) for name in expected)
    assert sorted(path.name for path in folder.iterdir()) == ["codec.safetensors", "config.json"]


@pytest.fixture
def complete(tmp_path: Path) -> Path:
    """A small bundle with a language model."""
    torch.manual_seed(0)
    language_model = LanguageModel(LANGUAGE_MODEL, CODEC)
    config = BundleConfig(codec=CODEC, language_model=LANGUAGE_MODEL)
    bundle = Bundle(config, build_dac(CODEC).state_dict(), language_model.state_dict())
    bundle.save(tmp_path / "complete")
    return tmp_path / "complete"


def test_language_model_is_kept_beside_the_codec(complete: Path) -> None:
    bundle = Bundle.load(complete)
    assert bundle.config.language_model == LANGUAGE_MODEL
    language_model = LanguageModel(LANGUAGE_MODEL, CODEC)
    language_model.load_state_dict(bundle.language_model)


def test_missing_language_model_is_one_error(complete: Path) -> None:
    (complete / "language_model.safetensors").unlink()
    with pytest.raises(BundleError, match=r"language_model.safetensors is missing: choose the folder of"):
        Bundle.load(complete)


def test_language_model_of_another_bundle_is_one_error(complete: Path) -> None:
    other = LanguageModel(LANGUAGE_MODEL, CODEC.model_copy(update={"n_codebooks": 3})).state_dict()
    safetensors.torch.save_file(other, complete / "language_model.safetensors")
    with pytest.raises(BundleError, match=r"language_model.safetensors does not fit its configuration"):
        Bundle.load(complete)


def test_saving_again_replaces_the_bundle(folder: Path) -> None:
    torch.manual_seed(1)
    other = build_dac(CODEC).state_dict()
    Bundle(BundleConfig(codec=CODEC), other).save(folder)
    assert torch.equal(Bundle.load(folder).codec["encoder.block.0.bias"], other["encoder.block.0.bias"])


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), "config.json is missing: choose"),
    "no weights": (lambda f: (f / "codec.safetensors").unlink(), "codec.safetensors is missing: choose"),
    "no folder": (lambda f: f.rename(f.parent / "elsewhere"), "config.json is missing: choose"),
    "weights are a folder": (
        lambda f: replace_by_folder(f / "codec.safetensors"),
        "codec.safetensors cannot be read",
    ),
    "not JSON": (lambda f: (f / "config.json").write_text("{'a'"), "config.json is damaged"),
    "not text": (lambda f: (f / "config.json").write_bytes(b"\xff\xfe\x00"), "config.json is damaged"),
    "JSON of another kind": (
        lambda f: (f / "config.json").write_text("[1]"),
        "does not describe a MaskSR bundle",
    ),
    "foreign": (lambda f: edit_config(f, format="other"), "does not describe a MaskSR bundle"),
    "newer": (
        lambda f: edit_config(f, version=VERSION + 1),
        f"bundle version {VERSION + 1}, .* update the program",
    ),
    "older": (lambda f: edit_config(f, version=1), "bundle version 1, .* train it again"),
    "version of another type": (lambda f: edit_config(f, version="1"), "config.json is not valid .'version'"),
    "unknown key": (lambda f: edit_config(f, loud=True), "config.json is not valid .'loud'"),
    "key of another type": (
        lambda f: edit_config(f, codec=CODEC.model_dump() | {"n_codebooks": "2"}),
        "config.json is not valid .'codec.n_codebooks'",
    ),
    "another hop": (
        lambda f: edit_config(f, codec=CODEC.model_dump() | {"encoder_rates": [8, 8]}),
        "config.json is not valid .'codec'.* 512",
    ),
    "truncated weights": (
        lambda f: (f / "codec.safetensors").write_bytes((f / "codec.safetensors").read_bytes()[:-1]),
        "codec.safetensors is damaged .* copy or download it again",
    ),
    "empty weights": (
        lambda f: (f / "codec.safetensors").write_bytes(b""),
        "codec.safetensors is damaged .* copy or download it again",
    ),
    "pickle": (
        lambda f: torch.save({"a": torch.zeros(1)}, f / "codec.safetensors"),
        "codec.safetensors is damaged .* copy or download it again",
    ),
    "foreign weights": (
        lambda f: safetensors.torch.save_file({"a": torch.zeros(1)}, f / "codec.safetensors"),
        "codec.safetensors does not fit its configuration, the tensor 'a' is unknown: use the files of one",
    ),
    "tensor missing": (
        lambda f: edit_codec(f, lambda tensors: tensors.pop("encoder.block.0.bias")),
        "tensor 'encoder.block.0.bias' is missing",
    ),
    "tensor of another shape": (
        lambda f: edit_codec(f, lambda tensors: tensors.update({"encoder.block.0.bias": torch.zeros(3)})),
        "tensor 'encoder.block.0.bias' is 3 and not 2",
    ),
    "config of another size": (
        lambda f: edit_config(f, codec=CODEC.model_dump() | {"n_codebooks": 3}),
        "tensor 'quantizer.quantizers.2.codebook.weight' is missing",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_one_error_that_names_file_and_remedy(folder: Path, kind: str) -> None:
    damage, expected = DAMAGE[kind]
    damage(folder)
    with pytest.raises(BundleError, match=expected) as caught:
        Bundle.load(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bundle_is_found_by_path(folder: Path) -> None:
    assert bundle_folder(folder) == folder


def test_unknown_bundle_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"There is no bundle '.*nowhere': name one that ships"):
        bundle_folder(tmp_path / "nowhere")
