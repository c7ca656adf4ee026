"""The presets there are to choose from: those of the program, and the user's own in a folder."""

from dataclasses import dataclass, field
from pathlib import Path

import tomli_w

from model.translation import _
from presets.preset import FOLDER, Preset, PresetError, load_preset

FORBIDDEN = '<>:"/\\|?*.'  # in names of files, on one system or another


@dataclass(frozen=True)
class PresetEntry:
    """`choice` is what `load_preset` takes: the name of a shipped preset, or the path of the user's own."""

    choice: str
    preset: Preset
    is_own: bool


@dataclass(frozen=True)
class Shelf:
    """What the library holds; `problems` has one sentence for every file that is no valid preset."""

    entries: list[PresetEntry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class PresetLibrary:
    """The shipped presets, which never change, and the user's own: one TOML file each in `folder`.

    A preset of the user's own has the name that its file has. Everything raises PresetError.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def shelf(self) -> Shelf:
        """All presets, the shipped ones first."""
        shelf = Shelf()
        for folder in (FOLDER, self._folder):
            for path in sorted(folder.glob("*.toml")):
                is_own = folder == self._folder
                choice = str(path) if is_own else path.stem
                try:
                    shelf.entries.append(PresetEntry(choice, load_preset(choice), is_own))
                except PresetError as error:
                    shelf.problems.append(str(error))
        return shelf

    def save(self, preset: Preset, title: str) -> str:
        """Keep `preset` as the user's own under `title`; return its choice."""
        path = self._new_path(title)
        self._write(path, preset, title)
        return str(path)

    def rename(self, choice: str, title: str) -> str:
        """Give one of the user's own another title; return its choice from now on."""
        old, new = self._own_path(choice), self._new_path(title)
        preset = load_preset(old)
        self._write(new, preset, title)
        old.unlink()
        return str(new)

    def delete(self, choice: str) -> None:
        """Delete one of the user's own."""
        self._own_path(choice).unlink()

    def export(self, choice: str, target: Path) -> None:
        """Write any preset to a file that `add` of another library takes."""
        preset = load_preset(choice)
        self._write(target, preset, preset.title)

    def add(self, source: Path) -> str:
        """Take a preset from a file into the user's own; return its choice."""
        preset = load_preset(source)
        return self.save(preset, preset.title)

    def _own_path(self, choice: str) -> Path:
        path = Path(choice)
        if path.parent != self._folder:
            raise PresetError(
                _(
                    "The preset '{choice}' comes with the program; save one of your own instead.",
                    choice=choice,
                )
            )
        if not path.is_file():
            raise PresetError(_("The preset {path} is not there any more; choose another one.", path=path))
        return path

    def _new_path(self, title: str) -> Path:
        name = "".join("-" if sign in FORBIDDEN else sign for sign in title.strip())
        if not name or not name.isprintable():
            raise PresetError(_("A preset needs a name; type one."))
        path = self._folder / f"{name}.toml"
        if path.exists():
            raise PresetError(
                _("There is a preset '{title}' already; choose another name.", title=title.strip())
            )
        return path

    def _write(self, path: Path, preset: Preset, title: str) -> None:
        settings = preset.model_dump(exclude={"name"}) | {"title": title.strip()}
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(tomli_w.dumps(settings), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            raise PresetError(
                _(
                    "The preset {path} could not be written ({error}); check the place.",
                    path=path,
                    error=error,
                )
            ) from error
