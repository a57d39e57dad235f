"""What clients asked, were answered and were told, and whether a room that works could have said all that."""

from tests.support.history.anomalies import Anomaly
from tests.support.history.messages import message_anomalies
from tests.support.history.numbers import number_anomalies
from tests.support.history.record import History
from tests.support.history.registers import register_anomalies

__all__ = ["Anomaly", "History", "anomalies"]


def anomalies(history: History) -> list[Anomaly]:
    """Whatever no order of the calls explains; each call must take effect once, between its start and its end."""
    return [*number_anomalies(history), *register_anomalies(history), *message_anomalies(history)]
