"""Bundles: the weights of a restorer in a folder of `config.json` and safetensors files.

Nothing in a bundle is ever unpickled, so a bundle from anywhere is safe to open.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Self

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from model.codec import Codec, CodecConfig, build_dac
from model.errors import BundleError
from model.language_model import LanguageModel, LanguageModelConfig
from model.translation import _

FORMAT: Final = "masksr-bundle"
VERSION: Final = 3
SHIPPED = Path(__file__).parent / "bundles"
CONFIG_FILE, CODEC_FILE, LANGUAGE_MODEL_FILE = (
    "config.json",
    "codec.safetensors",
    "language_model.safetensors",
)
RANDOM: Final = (nn.init.kaiming_uniform_, nn.init.normal_, nn.init.uniform_, Tensor.uniform_)

Tensors = Mapping[str, Tensor]


class BundleConfig(BaseModel):
    """The contents of `config.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["masksr-bundle"] = FORMAT
    version: Literal[3] = VERSION
    codec: CodecConfig
    search_width: PositiveInt = 1  # of the codec's quantizer
    language_model: LanguageModelConfig | None = None


@dataclass(frozen=True)
class Bundle:
    """A validated configuration and the tensors that fit it, named as in the modules' state dicts.

    A bundle without a language model holds a codec alone.
    """

    config: BundleConfig
    codec: Tensors
    language_model: Tensors = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the bundle in `folder`.

        Raises BundleError if a file is missing, damaged, foreign, newer than this program, or does not
        fit the others.
        """
        config = _read_config(folder / CONFIG_FILE)
        with _Unfilled():
            expected_codec = build_dac(config.codec).state_dict()
            shape = config.language_model
            expected = {} if shape is None else LanguageModel(shape, config.codec).state_dict()
        codec = _read_tensors(folder / CODEC_FILE, expected_codec)
        if shape is None:
            return cls(config, codec)
        return cls(config, codec, _read_tensors(folder / LANGUAGE_MODEL_FILE, expected))

    def build_codec(self, device: torch.device, dtype: torch.dtype) -> Codec:
        """The codec with its weights, its convolutions computing in `dtype`."""
        with _Unfilled():
            dac = build_dac(self.config.codec)
        dac.load_state_dict(self.codec)
        return Codec(dac.to(device), dtype, self.config.search_width)

    def build_language_model(self, device: torch.device, dtype: torch.dtype) -> LanguageModel:
        """The language model with its weights, its transformers and convolutions computing in `dtype`.

        Raises BundleError if the bundle holds a codec alone.
        """
        if self.config.language_model is None:
            raise BundleError(
                _("This bundle holds a codec alone: choose one that has {file}.", file=LANGUAGE_MODEL_FILE)
            )
        with _Unfilled():
            model = LanguageModel(self.config.language_model, self.config.codec)
        model.load_state_dict(self.language_model)
        for block in [*model.speech_encoder.transformer.blocks, *model.transformer.blocks]:
            for linear in block.linears():
                linear.to(dtype)
        encoder = model.speech_encoder
        for part in (encoder.expand, encoder.contract, encoder.gate, encoder.filling, encoder.fine_gate):
            part.to(dtype)
        return model.requires_grad_(False).eval().to(device)

    def save(self, folder: Path) -> None:
        """Write the bundle into `folder`, each file whole or not at all, the configuration last."""
        folder.mkdir(parents=True, exist_ok=True)
        _write_tensors(folder / CODEC_FILE, self.codec)
        if self.config.language_model:
            _write_tensors(folder / LANGUAGE_MODEL_FILE, self.language_model)
        partial = folder / f"{CONFIG_FILE}.partial"
        partial.write_text(self.config.model_dump_json(indent=2) + "\n", encoding="utf-8")
        partial.replace(folder / CONFIG_FILE)


class _Unfilled(TorchFunctionMode):
    """Within it no random weights are drawn, which takes long, for modules that get others anyway."""

    def __torch_function__(
        self, function: Any, types: object, arguments: tuple[Any, ...] = (), named: Any = None
    ) -> Any:
        if function is Tensor.normal_:
            return arguments[0].zero_()  # what is drawn until it is small enough
        return None if function in RANDOM else function(*arguments, **(named or {}))


def bundle_folder(name_or_path: str | Path) -> Path:
    """The folder of a bundle that ships, by its name, or of any other, by its path."""
    for folder in (SHIPPED / name_or_path, Path(name_or_path)):
        if folder.is_dir():
            return folder
    shipped = ", ".join(sorted(path.name for path in SHIPPED.glob("*/"))) or _("none")
    raise BundleError(
        _(
            "There is no bundle '{name}': name one that ships ({shipped}) or the folder of another.",
            name=name_or_path,
            shipped=shipped,
        )
    )


def fingerprint(folder: Path) -> str:
    """Tells bundles apart by what is in their files, in 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in (CONFIG_FILE, CODEC_FILE, LANGUAGE_MODEL_FILE):
        digest.update(_read(folder / name))
    return digest.hexdigest()[:16]


def check_shapes(tensors: Tensors, expected: Tensors, path: Path) -> None:
    """Raise BundleError unless `tensors`, read from `path`, have the names and shapes of `expected`."""
    for name in sorted(expected.keys() | tensors.keys()):
        if name not in tensors:
            problem = _("is missing")
        elif name not in expected:
            problem = _("is unknown")
        elif tensors[name].shape != expected[name].shape:
            problem = _(
                "is {size} and not {expected}", size=_size(tensors[name]), expected=_size(expected[name])
            )
        else:
            continue
        raise BundleError(
            _(
                "{path} does not fit its configuration, the tensor '{name}' {problem}:"
                " use the files of one and the same bundle.",
                path=path,
                name=name,
                problem=problem,
            )
        )


def _size(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape))


def _read_config(path: Path) -> BundleConfig:
    text = _read(path)
    try:
        _check_version(json.loads(text), path)
        return BundleConfig.model_validate_json(text, strict=True)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        raise BundleError(
            _(
                "{path} is not valid ('{key}': {problem}): restore the file its bundle came with.",
                path=path,
                key=key,
                problem=problem["msg"],
            )
        ) from error
    except ValueError as error:
        raise BundleError(
            _("{path} is damaged ({error}): restore the file its bundle came with.", path=path, error=error)
        ) from error


def _check_version(config: Any, path: Path) -> None:
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise BundleError(
            _(
                "{path} does not describe a MaskSR bundle: choose a folder whose {file} does.",
                path=path,
                file=CONFIG_FILE,
            )
        )
    version = config.get("version")
    if isinstance(version, int) and version > VERSION:
        raise BundleError(
            _(
                "{path} is of bundle version {version},"
                " newer than this program's {known}: update the program.",
                path=path,
                version=version,
                known=VERSION,
            )
        )
    if version in range(VERSION):
        raise BundleError(
            _(
                "{path} is of bundle version {version}, older than this program's {known}: train it again.",
                path=path,
                version=version,
                known=VERSION,
            )
        )


def _read_tensors(path: Path, expected: Tensors) -> Tensors:
    try:
        tensors = safetensors.torch.load(_read(path))
    except SafetensorError as error:
        raise BundleError(
            _(
                "{path} is damaged or no safetensors file ({error}): copy or download it again.",
                path=path,
                error=error,
            )
        ) from error
    check_shapes(tensors, expected, path)
    return tensors


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BundleError(
            _("{path} is missing: choose the folder of a complete bundle.", path=path)
        ) from None
    except OSError as error:
        raise BundleError(
            _("{path} cannot be read ({error}): check the file.", path=path, error=error.strerror)
        ) from error


def _write_tensors(path: Path, tensors: Tensors) -> None:
    partial = path.with_suffix(".partial")
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    safetensors.torch.save_file(contiguous, partial)
    partial.replace(path)
