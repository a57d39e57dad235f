"""Which tests go to the same worker, when several run at once."""

from pathlib import Path

from xdist.scheduler import LoadScopeScheduling


class Together(LoadScopeScheduling):
    """Keeps the tests of a file together, which share what is started for it, and those of folders that share a server.

    Tests of faults that start servers of their own go each by itself. (Marks of groups are not seen with pytest 9.)
    """

    def _split_scope(self, nodeid: str) -> str:
        path, _, _ = nodeid.partition("::")
        folder, name = Path(path).parent.name, Path(path).stem
        if folder == "browser":
            # In two parts, that take about as long: nothing else takes as long as the whole.
            return f"{folder} {name < 'test_layout'}"
        if folder in ("sdk", "fuzz"):
            return folder
        return nodeid if folder == "faults" and name in _BY_THEMSELVES else path


_BY_THEMSELVES = {"test_chaos", "test_kills", "test_outages", "test_restore", "test_resuming"}
