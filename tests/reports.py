"""What a session tells of itself, for tests of what is made of it."""

from realtime.messages import SessionReport
from realtime.stats import LatencyBudget

REPORT = SessionReport(
    seconds=12.0,
    latency=LatencyBudget(12.0, 186.0, 46.0, 24.0),
    real_time_factor_p50=0.4,
    real_time_factor_p95=0.63,
    passes_per_hop=4,
    hops=300,
    dry_hops=3,
    late_hops=2,
    bridged=7,
    dropouts=5,
    device_overruns=0,
    last_error=None,
)
