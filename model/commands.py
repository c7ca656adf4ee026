"""The commands that make weights: `data`, `train` and `bundle`."""

from pathlib import Path

from model.command_line import RUNS, Command, Commands, add_command, add_group, progress_bar

CONFIGS = Path(__file__).parent / "configs"


def add_commands(commands: Commands) -> None:
    _add_data(add_group(commands, "data", "prepare training data"))
    _add_training(add_group(commands, "train", "train a model"))
    _add_bundle(add_group(commands, "bundle", "make bundles of weights"))


def _add_data(data: Commands) -> None:
    prepare = add_command(data, "prepare", run_data_prepare, "read recordings into a training set")
    prepare.add_argument("source", type=Path, metavar="SOURCE", help="folder of recordings")
    prepare.add_argument(
        "output", type=Path, metavar="OUTPUT", nargs="?", default=RUNS / "data", help="default: %(default)s"
    )
    prepare.add_argument(
        "--split",
        choices=("train", "dev"),
        default="train",
        help="of the project's own data: to train with, or kept from that (default: %(default)s)",
    )


def _add_training(models: Commands) -> None:
    codec = add_command(models, "codec", run_train_codec, "train the codec")
    codec.set_defaults(config=CONFIGS / "codec_compact.toml", output=RUNS / "codec")
    codec.add_argument("--start", metavar="BUNDLE", help="go on from the codec of this bundle")
    lm = add_command(models, "lm", run_train_lm, "train the language model for a trained codec")
    lm.set_defaults(config=CONFIGS / "lm_compact.toml", output=RUNS / "lm")
    lm.add_argument(
        "--codec", metavar="BUNDLE", help=f"default: that of --start, or {RUNS / 'codec' / 'bundle'}"
    )
    lm.add_argument("--start", metavar="BUNDLE", help="go on from the language model of this bundle")
    lm.add_argument(
        "--critic", type=Path, metavar="RUN", help="judge with the critic of this training of a codec"
    )
    for model in (codec, lm):
        model.add_argument("--config", type=Path, metavar="FILE", help="settings (default: %(default)s)")
        model.add_argument(
            "--data", type=Path, metavar="SET", default=RUNS / "data", help="default: %(default)s"
        )
        model.add_argument("--output", type=Path, metavar="FOLDER", help="default: %(default)s")
        model.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")


def _add_bundle(bundle: Commands) -> None:
    import_dac = add_command(bundle, "import-dac", run_import_dac, "make a bundle of the official codec")
    import_dac.add_argument("--weights", type=Path, metavar="FILE", help="DAC's .pth (default: download it)")
    average = add_command(bundle, "average", run_average, "average bundles that were trained from one")
    average.add_argument("bundles", metavar="BUNDLE", nargs="+", help="which to average")
    for maker in (import_dac, average):
        maker.add_argument("--output", type=Path, metavar="FOLDER", required=True, help="the new bundle")


def run_data_prepare(command: Command) -> None:
    from model.data import prepare

    with progress_bar() as show:
        prepare(command.source, command.output, lambda done, total: show(done / total), command.split)


def run_train_codec(command: Command) -> None:
    from model.bundle import bundle_folder
    from model.train_codec import train

    start = None if command.start is None else bundle_folder(command.start)
    train(command.config, command.data, command.output, command.resume, _show_row, start)


def run_train_lm(command: Command) -> None:
    from model.bundle import bundle_folder
    from model.train_lm import train

    start = None if command.start is None else bundle_folder(command.start)
    codec = start or RUNS / "codec" / "bundle" if command.codec is None else bundle_folder(command.codec)
    arguments = (command.config, command.data, codec, command.output, command.resume, _show_row, start)
    train(*arguments, command.critic)


def run_import_dac(command: Command) -> None:
    from model.official_codec import import_official_codec

    import_official_codec(command.weights, command.output)
    print(f"The codec is in {command.output}; `main.py train lm --codec {command.output}` is the next step.")


def run_average(command: Command) -> None:
    from model.average import average
    from model.bundle import Bundle, bundle_folder

    average([Bundle.load(bundle_folder(name)) for name in command.bundles]).save(command.output)
    print(f"Their mean is in {command.output}.")


def _show_row(step: int, figures: dict[str, float]) -> None:
    print(f"step {step}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()), flush=True)
