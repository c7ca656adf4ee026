"""The report of a live session, and the same in words."""

from model.plan import SAMPLE_RATE_HZ
from realtime.messages import SessionReport
from realtime.mixer import Mixer
from realtime.model_process import ModelStatus
from realtime.pump import Pump
from realtime.stats import LatencyBudget


def make_report(model: ModelStatus, mixer: Mixer, pump: Pump) -> SessionReport:
    """What the parts of a session say of themselves."""
    return SessionReport(
        seconds=pump.played_seconds,
        latency=LatencyBudget(
            capture_ms=1000.0 * pump.keeper.capture_seconds,
            algorithm_ms=1000.0 * mixer.delay.latency_frames / SAMPLE_RATE_HZ,
            compute_ms=1000.0 * mixer.delay.headroom_frames / SAMPLE_RATE_HZ,
            output_ms=1000.0 * pump.keeper.output_seconds,
        ),
        real_time_factor_p50=model.real_time_factor_p50,
        real_time_factor_p95=model.real_time_factor_p95,
        passes_per_hop=model.passes_wanted,
        hops=model.hops,
        dry_hops=model.dry_hops,
        late_hops=model.late_hops,
        bridged=mixer.bridged,
        dropouts=mixer.dropouts + pump.dropouts,
        device_overruns=pump.device_overruns,
        last_error=model.message,
    )


def describe(report: SessionReport) -> str:
    """A few lines of text: delay and where it comes from, load, passes, and what went wrong."""
    latency = report.latency
    lines = [
        f"duration         {report.seconds:.1f} s",
        f"latency          {latency.total_ms:.0f} ms = capture {latency.capture_ms:.0f}"
        f" + algorithm {latency.algorithm_ms:.0f} + compute {latency.compute_ms:.0f}"
        f" + output {latency.output_ms:.0f}",
        f"real-time factor p50 {report.real_time_factor_p50:.2f}, p95 {report.real_time_factor_p95:.2f}",
        f"passes per hop   {report.passes_per_hop}",
        f"hops             {report.hops}, of which {report.late_hops} late and {report.dry_hops} unrestored",
        f"dropouts         {report.dropouts}, and {report.bridged} blocks bridged",
        f"device overruns  {report.device_overruns}",
    ]
    if report.last_error is not None:
        lines.append(f"last problem     {report.last_error}")
    return "\n".join(lines)
