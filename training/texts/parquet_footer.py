"""Footer of a .parquet: how large its groups of rows unpack, by what it says of them.

The footer is Thrift in its compact protocol, of which this reads what a parquet's has. Arrow reads
a group's pages whole, so a group is bounded before. A footer that says less than there is, is taken
at its word. Knows nothing of rows.
"""

from collections.abc import Sequence

from training.texts.source_text import RefusedTextError

_ROW_GROUPS, _TOTAL_BYTES = 4, 2  # ids of fields: of the file, of a group
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)
_LONG_LIST = 15  # its length follows
MAX_DEPTH = 20
LAST_SHIFT = 63  # of the tenth byte of a number, which has 64 bits at most

Value = int | bytes | None | Sequence["Value"] | dict[int, "Value"]


def group_bytes(footer: bytes) -> list[int]:
    """Find how many bytes each group of rows unpacks to. Raises RefusedTextError: damaged."""
    try:
        groups = _Reader(footer).struct(0).get(_ROW_GROUPS, [])
    except (IndexError, ValueError) as error:
        raise RefusedTextError("cannot be read (its footer is damaged)") from error
    found = groups if isinstance(groups, list) else []
    sizes = [group.get(_TOTAL_BYTES, 0) if isinstance(group, dict) else 0 for group in found]
    return [size for size in sizes if isinstance(size, int) and size > 0]


class _Reader:
    """Reader of one struct of Thrift's compact protocol, from its beginning."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def struct(self, depth: int) -> dict[int, Value]:
        """Read the fields of a struct by their ids."""
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        fields: dict[int, Value] = {}
        field = 0
        while (head := self._byte()) != 0:
            step, kind = head >> 4, head & 0x0F
            field = field + step if step else self._integer()
            fields[field] = None if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Value:
        if kind in _INTEGERS:
            return self._integer()
        if kind == _BINARY:
            return self._take(self._length())
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind == _DOUBLE:
            return self._take(8)
        raise ValueError(f"no kind {kind} is in a footer")

    def _list(self, depth: int) -> list[Value]:
        head = self._byte()
        count, kind = head >> 4, head & 0x0F
        count = self._length() if count == _LONG_LIST else count
        return [self._value(kind, depth + 1) for _ in range(count)]

    def _byte(self) -> int:
        self._at += 1
        return self._raw[self._at - 1]

    def _take(self, count: int) -> bytes:
        if self._at + count > len(self._raw):
            raise IndexError("it ends too soon")
        self._at += count
        return self._raw[self._at - count : self._at]

    def _length(self) -> int:
        """Read an unsigned number of seven bits a byte, the lowest first."""
        number = shift = 0
        while (byte := self._byte()) & 0x80:
            if shift == LAST_SHIFT:
                raise ValueError("a number of more than 64 bits")
            number |= (byte & 0x7F) << shift
            shift += 7
        return number | byte << shift

    def _integer(self) -> int:
        """Read a signed number, whose sign is its lowest bit."""
        number = self._length()
        return number >> 1 ^ -(number & 1)
