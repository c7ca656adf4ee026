"""The report of a live session in words."""

from realtime.messages import SessionReport


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
        f"dropouts         {report.dropouts}",
        f"device overruns  {report.device_overruns}",
    ]
    if report.last_error is not None:
        lines.append(f"last problem     {report.last_error}")
    return "\n".join(lines)
