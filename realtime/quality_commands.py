"""The commands that measure the quality of what is restored."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from model.command_line import (
    RESULTS,
    Command,
    Commands,
    add_command,
    add_json_option,
    add_preset_option,
    progress_bar,
)

if TYPE_CHECKING:
    from model.curve import Line, Point
    from model.evaluate import Restorer
    from model.masksr import MaskSR
    from presets.preset import Preset


def add_commands(commands: Commands) -> None:
    for add in (_add_evaluate, _add_bounds, _add_learning, _add_curve):
        add(commands)


def _add_evaluate(commands: Commands) -> None:
    evaluate = add_command(
        commands, "evaluate", run_evaluate, "judge restored speech, streamed and whole-file"
    )
    evaluate.add_argument("folder", type=Path, metavar="DIR", help="index.csv, *_clean.flac, *_noisy.flac")
    add_preset_option(evaluate)
    evaluate.add_argument(
        "--codec", metavar="BUNDLE", help="judge this bundle's codec alone, on clean speech"
    )
    evaluate.add_argument(
        "--lookahead",
        type=int,
        metavar="N",
        help="with --codec: also as windows that end N frames ahead cut it",
    )
    evaluate.add_argument(
        "--ideal",
        action="store_true",
        help="also what a mask, and tokens, would do that know the clean speech",
    )
    _add_denoiser_option(evaluate)
    evaluate.add_argument("--limit", type=int, metavar="N", help="at most N recordings of each condition")
    add_json_option(evaluate)


def _add_bounds(commands: Commands) -> None:
    bounds = add_command(
        commands,
        "bounds",
        run_bounds,
        "judge restored speech of voices and noises seen in training, and others",
    )
    bounds.add_argument("seen", type=Path, metavar="SEEN", help="the data set of the training")
    bounds.add_argument("unseen", type=Path, metavar="UNSEEN", help="another, of the same kind")
    add_preset_option(bounds)
    _add_denoiser_option(bounds)
    bounds.add_argument("--voices", metavar="GROUPS", default="", help="only those whose names begin so")
    bounds.add_argument(
        "--limit",
        type=int,
        metavar="N",
        default=16,
        help="recordings of each condition (default: %(default)s)",
    )
    add_json_option(bounds)


def _add_learning(commands: Commands) -> None:
    learning = add_command(commands, "learning", run_learning, "measure quality against training audio seen")
    learning.add_argument("folder", type=Path, metavar="DIR", help="as for evaluate")
    learning.add_argument(
        "training", type=Path, metavar="RUN", help="folder of a training that keeps bundles"
    )
    add_preset_option(learning)
    learning.add_argument("--limit", type=int, metavar="N", help="at most N recordings of each condition")
    add_json_option(learning)


def _add_curve(commands: Commands) -> None:
    curve = add_command(commands, "curve", run_curve, "measure quality and cost against sampling passes")
    curve.add_argument("folder", type=Path, metavar="DIR", help="as for evaluate; judges the words in it")
    add_preset_option(curve)
    curve.add_argument("--orders", action="store_true", help="compare orders of unmasking instead")
    curve.add_argument("--beside", metavar="BUNDLE", help="add rolling sampling with the weights of another")
    curve.add_argument("--limit", type=int, metavar="N", help="at most N recordings")
    curve.add_argument(
        "--output", type=Path, default=RESULTS / "curve", metavar="FOLDER", help="default: %(default)s"
    )
    add_json_option(curve)


def _add_denoiser_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--denoiser", action="store_true", help="also DeepFilterNet 3 (extra `bench`)")


def run_evaluate(command: Command) -> None:
    from model.bundle import Bundle, bundle_folder
    from model.evaluate import evaluate, evaluate_codec
    from model.ideal_mask import ideal_masks
    from model.ideal_tokens import ideal_tokens
    from model.resynthesis import Resynthesizer
    from realtime.model_loader import load_with_preset

    with progress_bar() as show:
        settings = {"limit": command.limit, "progress": lambda done, total: show(done / total)}
        if command.codec is not None:
            bundle = Bundle.load(bundle_folder(command.codec))
            codecs = {"codec": Resynthesizer(bundle)}
            if command.lookahead is not None:
                codecs[f"{command.lookahead} frames ahead"] = Resynthesizer(bundle, command.lookahead)
            report = evaluate_codec(command.folder, codecs, **settings)
            used = ", ".join(f"{entries:.0f}" for entries in codecs["codec"].perplexities())
            report = replace(report, notes=(*report.notes, f"Entries of each codebook in use: {used}"))
        else:
            preset, model = load_with_preset(command.preset)
            restorers = {
                "streamed": _streamed(preset, model),
                "whole file": lambda audio: model.restore(
                    audio,
                    passes=preset.passes_per_frame,
                    guidance=preset.guidance,
                    temperature=preset.temperature,
                ),
            }
            restorers |= _denoisers(command)
            ideals = ideal_masks() | ideal_tokens(model, preset.plan) if command.ideal else {}
            report = evaluate(command.folder, restorers, ideals=ideals, **settings)
    print(report.to_json() if command.json else report.to_table())


def _denoisers(command: Command) -> "dict[str, Restorer]":
    from model.denoiser import denoise

    return {"DeepFilterNet 3": denoise} if command.denoiser else {}


def _streamed(preset: "Preset", model: "MaskSR") -> "Restorer":
    from realtime.offline import restore_audio

    return lambda audio: restore_audio(model.stream(preset.plan, **preset.stream_settings), audio)


def run_bounds(command: Command) -> None:
    from model.bounds import count_pairs, make_pairs
    from model.data import Corpus
    from model.evaluate import judge_pairs
    from model.ideal_mask import ideal_masks
    from realtime.model_loader import load_with_preset

    preset, model = load_with_preset(command.preset)
    sets = {name: Corpus(getattr(command, name), command.voices) for name in ("seen", "unseen")}
    with progress_bar() as show:
        report = judge_pairs(
            make_pairs(sets, command.limit),
            count_pairs(sets, command.limit),
            {"streamed": _streamed(preset, model)} | _denoisers(command),
            ideals=ideal_masks(),
            progress=lambda done, total: show(done / total),
        )
    print(report.to_json() if command.json else report.to_table())


def run_learning(command: Command) -> None:
    from model.bundle import Bundle
    from model.evaluate import evaluate, evaluate_codec
    from model.learning import kept_bundles, plot
    from model.masksr import MaskSR
    from model.resynthesis import Resynthesizer
    from realtime.model_loader import load_with_preset

    kept = {f"{hours:g} h": folder for hours, folder in kept_bundles(command.training).items()}
    bundles = {name: Bundle.load(folder) for name, folder in kept.items()}
    with progress_bar() as show:
        settings = {"limit": command.limit, "progress": lambda done, total: show(done / total)}
        if all(bundle.config.language_model is None for bundle in bundles.values()):
            codecs = {name: Resynthesizer(bundle) for name, bundle in bundles.items()}
            report = evaluate_codec(command.folder, codecs, **settings)
        else:
            preset, _ = load_with_preset(command.preset)
            restorers = {name: _streamed(preset, MaskSR.load(folder)) for name, folder in kept.items()}
            report = evaluate(command.folder, restorers, **settings)
    plot(
        report.rows,
        {name: float(name.removesuffix(" h")) for name in kept},
        RESULTS / "learning" / "curve.png",
    )
    print(report.to_json() if command.json else report.to_table())


def run_curve(command: Command) -> None:
    from model.bundle import bundle_folder
    from model.curve import Line, order_lines, plot, sampling_lines, to_json, to_table
    from model.masksr import MaskSR
    from realtime.model_loader import load_with_preset

    preset, model = load_with_preset(command.preset)
    lines = order_lines(model) if command.orders else sampling_lines()
    points = _measure_curve(command, preset, preset.bundle, model, lines)
    if command.beside is not None:
        other = MaskSR.load(bundle_folder(command.beside))
        line = Line(f"rolling, {Path(command.beside).name}", "rolling")
        points += _measure_curve(command, preset, command.beside, other, [line])
    plot(points, command.output / ("orders.png" if command.orders else "curve.png"))
    print(to_json(points) if command.json else to_table(points))


def _measure_curve(
    command: Command, preset: "Preset", bundle: str, model: "MaskSR", lines: "list[Line]"
) -> "list[Point]":
    from model.bundle import bundle_folder, fingerprint
    from model.curve import ScoreBook, measure_curve
    from realtime.offline import restore_audio

    command.output.mkdir(parents=True, exist_ok=True)
    weights = fingerprint(bundle_folder(bundle))
    with progress_bar() as show:
        return measure_curve(
            command.folder,
            lines,
            lambda line, passes, audio: restore_audio(
                model.stream(
                    preset.plan,
                    sampling=line.sampling,
                    passes=passes,
                    guidance=line.guidance,
                    temperature=preset.temperature,
                    unmasking=line.unmasking,
                ),
                audio,
            ),
            ScoreBook(command.output / "scores.json", f"{weights} {preset.plan} {preset.temperature}"),
            limit=command.limit,
            progress=lambda done, total: show(done / total),
        )
