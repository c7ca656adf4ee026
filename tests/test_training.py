"""What training runs share: schedules, averages, logs, and checkpoints that are whole and harmless."""

import itertools
import pickle
from pathlib import Path
from types import SimpleNamespace

import matplotlib.image
import pytest
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from model.errors import MaskSRError
from model.training import (
    AveragedWeights,
    Log,
    TrainingError,
    cosine_schedule,
    cpu_and_dtype,
    device_and_dtype,
    load_checkpoint,
    plot_log,
    read_config,
    read_log,
    save_checkpoint,
    workers,
)
from tests.failing_card import LOST


def test_the_learning_rate_rises_evenly_and_falls_to_its_last_share() -> None:
    rates = [cosine_schedule(step, 100, 10) for step in range(101)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == 1
    assert rates[55] == pytest.approx((1 + 0.05) / 2)
    assert rates[100] == pytest.approx(0.05)
    assert all(earlier > later for earlier, later in itertools.pairwise(rates[10:]))


def test_a_run_no_longer_than_its_warm_up_has_a_learning_rate() -> None:
    assert 0 < cosine_schedule(0, 0, 0) <= 1
    assert 0 < cosine_schedule(3, 4, 10) <= 1


def network(value: float) -> nn.BatchNorm1d:
    """A network with parameters, and buffers of which one counts."""
    built = nn.BatchNorm1d(3)
    nn.init.constant_(built.weight, value)
    return built


def test_the_average_follows_the_network_the_slower_the_longer_it_runs() -> None:
    average = AveragedWeights(network(0.0), decay=0.9)
    average.update(network(1.0))
    first = float(average.state["weight"][0])
    assert 0.5 < first < 1
    for _ in range(200):
        average.update(network(1.0))
    average.update(network(2.0))
    assert average.state["weight"].tolist() == pytest.approx([1.1] * 3, abs=0.01)


def test_an_average_goes_on_where_it_was() -> None:
    whole, before = (AveragedWeights(network(0.0), decay=0.99) for _ in range(2))
    for value in (1.0, 2.0, 3.0):
        whole.update(network(value))
        before.update(network(value))
    resumed = AveragedWeights(network(7.0), decay=0.99)
    resumed.resume(before.state, updates=3)
    for average in (whole, resumed):
        average.update(network(9.0))
    assert resumed.state["weight"].tolist() == whole.state["weight"].tolist()


def test_the_average_is_no_view_of_the_network_and_copies_what_counts() -> None:
    trained = network(0.0)
    average = AveragedWeights(trained, decay=0.9)
    trained.get_buffer("num_batches_tracked").add_(7)
    nn.init.constant_(trained.weight, 5.0)
    assert not average.state["weight"].any()
    average.update(trained)
    assert average.state["num_batches_tracked"] == 7
    assert trained.weight.tolist() == [5.0] * 3


def test_the_log_holds_the_means_since_its_last_row(tmp_path: Path) -> None:
    log = Log(tmp_path, 3600.0)
    for loss in (1.0, 2.0, 6.0):
        log.add({"loss": torch.tensor(loss, requires_grad=True)})
    assert log.write(3)["loss"] == 3
    log.add({"loss": torch.tensor(4.0), "critic": torch.tensor(0.5)})
    log.write(4)
    rows = list(read_log(tmp_path))
    assert [row["step"] for row in rows] == [3, 4]
    assert [row["loss"] for row in rows] == [3, 4]
    assert "critic" not in rows[0]
    assert rows[1]["critic"] == 0.5
    assert [row["audio_hours"] for row in rows] == [3, 4]
    assert all(row["audio_s_per_s"] > 0 for row in rows)


def test_a_figure_that_not_every_step_has_is_a_mean_over_those_that_have_it(tmp_path: Path) -> None:
    log = Log(tmp_path, 3600.0)
    for losses in ({"loss": 1.0}, {"loss": 2.0, "critic": 0.5}, {"loss": 3.0}):
        log.add({name: torch.tensor(value) for name, value in losses.items()})
    row = log.write(3)
    assert (row["loss"], row["critic"]) == (2.0, 0.5)


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    for step in (1, 2):
        log = Log(tmp_path, 3600.0)
        log.add({"loss": torch.tensor(1.0)})
        log.write(step)
    assert [row["step"] for row in read_log(tmp_path)] == [1, 2]


def test_the_plot_has_a_panel_for_every_figure(tmp_path: Path) -> None:
    heights = []
    for step, losses in enumerate(({"mel": 1.0}, {"mel": 0.5, "critic": 1.0}, {"mel": 0.4, "critic": 0.5})):
        log = Log(tmp_path, 3600.0)
        log.add({name: torch.tensor(value) for name, value in losses.items()})
        log.write(step)
        heights.append(matplotlib.image.imread(plot_log(tmp_path)).shape[0])
    assert heights == [400, 600, 600]


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    optimizer = torch.optim.AdamW(network(1.0).parameters())
    state = {"step": 3, "config": {"name": "x", "rates": [1, 2]}, "optimizer": optimizer.state_dict()}
    save_checkpoint(path, state | {"weights": network(2.0).state_dict()})
    loaded = load_checkpoint(path)
    assert {key: loaded[key] for key in state} == state
    assert loaded["weights"]["weight"].tolist() == [2.0] * 3
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_save_that_fails_leaves_the_checkpoint_before_it(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"step": 1})
    with pytest.raises(AttributeError):
        save_checkpoint(path, {"step": 2, "cannot be saved": lambda: None})
    assert load_checkpoint(path) == {"step": 1}


class Intruder:
    """Leaves a file behind when unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


def test_loading_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    path, trace = tmp_path / "checkpoint.pt", tmp_path / "trace"
    torch.save({"step": Intruder(trace)}, path)
    with pytest.raises((pickle.UnpicklingError, MaskSRError)):
        load_checkpoint(path)
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists()  # so the intruder works


def test_resuming_without_a_checkpoint_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="does not exist; start the run without --resume"):
        load_checkpoint(tmp_path / "checkpoint.pt")


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    steps: int


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"config.toml cannot be read .*: name a configuration file"),
        ("steps = ", r"config.toml is not valid TOML .*: mend the file"),
        ("steps = 1\nloud = true", r"config.toml, 'loud': .*; mend the file"),
        ("steps = 'many'", r"config.toml, 'steps': .*; mend the file"),
        ("", r"config.toml, 'steps': Field required"),
    ],
)
def test_a_wrong_configuration_is_one_error(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "config.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TrainingError, match=message):
        read_config(path, Settings)


def test_a_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("steps = 5")
    assert read_config(tmp_path / "config.toml", Settings) == Settings(steps=5)


@pytest.mark.parametrize(
    ("can", "has_onednn", "dtype"),
    [
        ({"avx2": True, "avx512_f": True, "avx512_bf16": True}, True, torch.bfloat16),
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False}, True, torch.float32),
        ({"avx2": True}, True, torch.float32),
        ({"neon": True, "bf16": True}, True, torch.bfloat16),
        ({"neon": True, "bf16": True}, False, torch.float32),
    ],
    ids=["Zen 4", "Ice Lake", "Haswell", "Graviton 3", "Apple M2"],
)
def test_a_processor_computes_in_bf16_where_it_multiplies_that_natively(
    can: dict[str, bool], has_onednn: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: can)
    monkeypatch.setattr("torch.backends.mkldnn.is_available", lambda: has_onednn)
    assert cpu_and_dtype() == (torch.device("cpu"), dtype)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Ampere, in the state in which torch begins."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.current_device", lambda: 0)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: SimpleNamespace(major=8))
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize(
    ("major", "dtype"), [(7, torch.float32), (8, torch.bfloat16)], ids=["Turing", "Ampere"]
)
def test_a_card_computes_in_bf16_where_it_multiplies_that_natively(
    major: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: SimpleNamespace(major=major))
    assert device_and_dtype() == (torch.device("cuda"), dtype)


@pytest.mark.usefixtures("card")
def test_a_lost_card_fails_no_sooner_than_it_is_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(device: int) -> None:
        raise LOST

    monkeypatch.setattr("torch.cuda.get_device_properties", fail)
    assert device_and_dtype()[0] == torch.device("cuda")


@pytest.mark.usefixtures("card")
def test_convolutions_on_a_card_do_not_round_float32() -> None:
    device_and_dtype()
    assert not torch.backends.cudnn.allow_tf32


def test_one_process_is_the_only_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with workers() as (rank, count):
        assert (rank, count) == (0, 1)
        assert not torch.distributed.is_initialized()
