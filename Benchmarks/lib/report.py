"""Rows of results: medians, ratios, spread, and the bars that they are held to."""

import json
import statistics


def figure(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


class Bar:
    """What a row promises: utrace is at most `limit`, or at most `limit` times `peer`."""

    def __init__(self, limit, peer=None):
        self.limit, self.peer = limit, peer


class Row:
    """Samples of what was measured, round by round, for utrace and its peers."""

    def __init__(self, name, unit, samples, bars=(), note="", source=""):
        self.name, self.unit, self.samples, self.bars, self.note = name, unit, samples, list(bars), note
        # The file in Benchmarks/rows that it is from.
        self.source = source

    def median(self, who):
        values = [value for value in self.samples.get(who, []) if value is not None]
        return statistics.median(values) if values else None

    def ratios(self, peer):
        """utrace / peer in each round: what else the machine did then, both have felt."""
        pairs = zip(self.samples.get("utrace", []), self.samples.get(peer, []))
        return [ours / theirs for ours, theirs in pairs if ours is not None and theirs]

    def verdicts(self):
        """A text for each bar, and whether it was kept."""
        for bar in self.bars:
            if bar.peer:
                ratios = self.ratios(bar.peer)
                value, text = statistics.median(ratios) if ratios else None, f"≤ {bar.limit} × {bar.peer}"
            else:
                value, text = self.median("utrace"), f"≤ {bar.limit} {self.unit}"
            if value is not None:
                yield text, value <= bar.limit

    def lines(self):
        """The row as lines of the table: one for each peer."""
        verdict = ", ".join(f"{text}: {'kept' if kept else 'MISSED'}" for text, kept in self.verdicts())
        peers = [who for who in self.samples if who != "utrace"] or [None]
        for index, peer in enumerate(peers):
            ratios = self.ratios(peer) if peer else []
            ratio, spread = "", ""
            if ratios:
                ratio, spread = f"{statistics.median(ratios):.3f}", f"{min(ratios):.2f}–{max(ratios):.2f}"
            first = index == 0
            yield (
                self.name if first else "",
                f"{figure(self.median('utrace'))} {self.unit}" if first else "",
                peer or "", figure(self.median(peer)) if peer else "", ratio, spread,
                "; ".join(filter(None, [verdict, self.note])) if first else "",
            )

    def value(self):
        """The row for JSON."""
        return {
            "row": self.source, "what": self.name, "unit": self.unit, "note": self.note,
            "median": {who: self.median(who) for who in self.samples},
            "ratio": {who: statistics.median(self.ratios(who)) for who in self.samples
                      if who != "utrace" and self.ratios(who)},
            "samples": self.samples,
            "bars": [{"limit": bar.limit, "peer": bar.peer} for bar in self.bars],
            "verdicts": [{"bar": text, "kept": kept} for text, kept in self.verdicts()],
        }

    @classmethod
    def read(cls, value):
        """What ``value`` has written."""
        bars = [Bar(bar["limit"], bar["peer"]) for bar in value["bars"]]
        return cls(value["what"], value["unit"], value["samples"], bars, value["note"], value["row"])


TABLE = "{:<58} {:>13}  {:<10} {:>10} {:>7} {:>11}  {}"
HEADER = TABLE.format("what", "utrace", "peer", "", "ratio", "spread", "")


def read_json(path):
    """Machine and rows of an earlier run; nothing when there was none."""
    try:
        with open(path) as file:
            content = json.load(file)
    except FileNotFoundError:
        return None, []
    return content["machine"], [Row.read(value) for value in content["rows"]]


def markdown(rows):
    """The table for a document: each row with one line for each peer."""
    lines = ["| what | utrace | peer | | ratio | spread | bar |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        lines += ["| " + " | ".join(cell.strip() for cell in line) + " |" for line in row.lines()]
    return "\n".join(lines)


def write_json(path, machine, rows):
    """Everything, the machine included."""
    with open(path, "w") as file:
        json.dump({"machine": machine, "rows": [row.value() for row in rows]}, file, indent=1, ensure_ascii=False)
        file.write("\n")
