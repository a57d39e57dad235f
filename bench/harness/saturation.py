"""As many messages as a server keeps up with."""

from collections.abc import Sequence

from harness.clients import Clients, Measured, Turns

LAZY = 0.002  # keeps the generator below its core's limit while a server is pushed to its own
WINDOWS = (8, 64)
STEPS = 10
BUSY = 0.9  # of the server's core: one that has more time left may do more


def saturate(clients: Clients, senders: Sequence[int], fan_out: int, seconds: float) -> Turns:
    """Find the highest rate that holds: a closed loop for a first estimate, then open loops above and below it.

    What a server with time left did not keep up with is asked of it again. per_cpu, deliveries per second of server
    CPU, is the best of all these runs: it falls when the server idles.
    """
    clients.poll_lazily(LAZY)
    clients.chat(senders, seconds=0.4, fan_out=fan_out)
    closed = []
    for window in WINDOWS:
        yield clients
        closed.append(clients.chat(senders, seconds=seconds, fan_out=fan_out, window=window))
    runs = [run for run in closed if not run.loss]
    best = max(run.deliveries_per_second for run in closed)
    base, good, bad, factor = best / clients.protocol.copies(fan_out), 0.0, 0.0, 0.9
    held: Measured | None = None
    for _ in range(STEPS):
        yield clients
        run = clients.chat(senders, seconds=seconds, fan_out=fan_out, rate=base * factor)
        runs += [run] if not run.loss else []
        if run.holds:
            good = factor
            held = max(held or run, run, key=lambda measured: measured.deliveries_per_second)
        else:
            bad = factor
        if bad and good and bad / good < 1.12:
            if held and held.server_share >= BUSY:
                break
            factor, bad = bad, 0.0
        else:
            factor = _next_factor(run, factor, good, bad)
        clients.settle(0.2)
    return {
        "max": round(held.deliveries_per_second) if held else 0,
        "per_cpu": round(max((run.per_cpu_second for run in runs), default=0)),
        "p50": held.p50 if held else None,
        "p99": held.p99 if held else None,
        "generator_share": max(run.generator_share for run in [*closed, *runs]),
        "server_share": held.server_share if held else None,
        "bytes": closed[0].bytes_per_delivery,
    }


def _next_factor(run: Measured, factor: float, good: float, bad: float) -> float:
    """Up while it holds (in large steps while it is easy), down while nothing does, then between the two."""
    if not bad:
        return factor * (1.6 if run.p99 < 60 and run.server_share < 0.93 else 1.15)
    return (good + bad) / 2 if good else factor * 0.75
