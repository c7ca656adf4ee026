"""Presets: how the stream is cut into windows and how the model samples, one readable TOML each."""

import tomllib
from pathlib import Path
from typing import Self, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from model.errors import MaskSRError
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ, Sampling, WindowPlan
from model.translation import _

FOLDER = Path(__file__).parent
FRAME_MS = 1000 * FRAME_SAMPLES / SAMPLE_RATE_HZ


class PresetError(MaskSRError):
    """A preset does not exist or holds a key or value that is not allowed."""


class StreamSettings(TypedDict):
    """How a stream of the model samples, by the names that `MaskSR.stream` uses."""

    sampling: Sampling
    passes: int
    guidance: float
    temperature: float


class Preset(BaseModel):
    """Everything that decides delay, cost and quality of a stream. One frame is 512 samples or 11.61 ms."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(min_length=1)
    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    bundle: str = Field(default="compact", min_length=1)  # name in model/bundles/, or a folder
    context_frames: int = Field(ge=0, le=512)  # past heard again for every hop: costs computing, not delay
    hop_frames: int = Field(ge=1, le=128)
    lookahead_frames: int = Field(ge=0, le=128)
    fade_ms: float = Field(ge=0.0, le=100.0)
    sampling: Sampling = "rolling"  # whether hops share their passes or each spends its own
    passes: int = Field(ge=1, le=64)  # sampling passes per hop
    guidance: float = Field(ge=0.0, le=10.0)  # classifier-free guidance weight; above 0 doubles the cost
    temperature: float = Field(ge=0.0, le=10.0)

    @model_validator(mode="after")
    def _fade_fits(self) -> Self:
        longest_ms = min(self.hop_frames, self.lookahead_frames) * FRAME_MS
        if self.fade_ms > longest_ms:
            raise ValueError(
                _(
                    "'fade_ms' must be at most {longest:.1f}, the shorter of hop and look-ahead,"
                    " and is {value}",
                    longest=longest_ms,
                    value=self.fade_ms,
                )
            )
        return self

    @property
    def plan(self) -> WindowPlan:
        fade_samples = int(self.fade_ms * SAMPLE_RATE_HZ / 1000)
        return WindowPlan(self.context_frames, self.hop_frames, self.lookahead_frames, fade_samples)

    @property
    def passes_per_frame(self) -> int:
        """Passes that every frame receives before it is given out, some of them more."""
        return self.passes * (self.plan.visits if self.sampling == "rolling" else 1)

    @property
    def stream_settings(self) -> StreamSettings:
        return {
            "sampling": self.sampling,
            "passes": self.passes,
            "guidance": self.guidance,
            "temperature": self.temperature,
        }


def preset_names() -> list[str]:
    """Names of the presets that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_preset(name_or_path: str | Path, **changes: object) -> Preset:
    """Load a preset by its name, or a preset of the user's own by the path of its TOML file.

    `changes` replace what the file says. Raises PresetError, which names the offending key and what it may
    hold.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(preset_names())
        raise PresetError(
            _(
                "There is no preset '{name}': choose one of {known}, or give the path of a .toml file.",
                name=name_or_path,
                known=known,
            )
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PresetError(_("The preset {path} cannot be read: {error}.", path=path, error=error)) from error
    try:
        return Preset.model_validate({"name": path.stem} | settings | changes)
    except ValidationError as error:
        raise PresetError(
            _("The preset {path} is not valid: {problem}.", path=path, problem=_first_problem(error))
        ) from error


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    if not problem["loc"]:  # about several keys at once, worded by the validator itself
        return problem["msg"].removeprefix("Value error, ")
    key = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return _("unknown key '{key}'; the keys are {keys}", key=key, keys=", ".join(Preset.model_fields))
    if problem["type"] == "missing":
        return _("the key '{key}' is missing; it must be {allowed}", key=key, allowed=_allowed_values(key))
    return _(
        "'{key}' must be {allowed}, and is {value!r}",
        key=key,
        allowed=_allowed_values(key),
        value=problem["input"],
    )


def _allowed_values(key: str) -> str:
    schema = Preset.model_json_schema()["properties"][key]
    if "enum" in schema:
        return _(" or ").join(schema["enum"])
    if schema["type"] == "string":
        return _("a text that is not empty")
    least, most = schema["minimum"], schema["maximum"]
    if schema["type"] == "integer":
        return _("an integer from {least} to {most}", least=least, most=most)
    return _("a number from {least} to {most}", least=least, most=most)
