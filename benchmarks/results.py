"""The figures of a run: each with its target, and whether it was met."""

import platform
import statistics
import sys

PAGE_TARGET, SUGGEST_TARGET, ADD_TARGET = 2.5, 0.5, 0.5
GRID_TARGET, OWN_TARGET, TIMELINE_TARGET = 3, 1.5, 3
EVERY_CASE_TARGET, MY_CASES_TARGET = 3.5, 4  # the Case Management Dashboard
RARE_TARGET, COMMON_TARGET = 20, 60  # ms


class Figures:
    """Collects rows (what, figure, target, met) and notes."""

    def __init__(self, database, size, quick):
        self.database, self.size, self.quick = database, size, quick
        self.rows, self.notes, self.tables = [], [], []

    def add(self, what, figure, target, met):
        self.rows.append((what, figure, target, met))
        print(f"{what}: {figure} ({target}: {'met' if met else 'missed'})", flush=True)

    def note(self, text):
        self.notes.append(text)

    @property
    def all_met(self):
        return all(met for *_, met in self.rows)

    def pages(self, title, base, found, targets=()):
        """CPU time of each page as a ratio to the floor's; `targets`: pairs (name, target) of those with their own, None for
        none at all."""
        targets = dict(targets)
        rows = [("The floor", base), *found.items()]
        for name, series in found.items():
            ratio, target = series.cpu_ms / base.cpu_ms, targets.get(name, PAGE_TARGET)
            if target is None:
                self.note(f"{name}: {ratio:.2f} × floor")
                continue
            self.add(f"{name}: CPU time", f"{ratio:.2f} × floor", f"at most {target} ×", ratio <= target)
        table = [("Page", "CPU ms", "median ms", "95 of 100 ms", "kB")]
        table += [
            (name, f"{one.cpu_ms:.1f}", f"{one.median:.1f}", f"{one.percentile(95):.1f}", f"{one.bytes / 1000:.0f}")
            for name, one in rows
        ]
        self.tables.append((title, table))

    def searches(self, found):
        """The median time of single requests: {(word, who): (Series, target in ms)}."""
        for (word, who), (series, target) in found.items():
            self.add(f"Search for a {word} word, {who}", f"{series.median:.1f} ms", f"at most {target} ms",
                     series.median <= target)

    def add_incident(self, base, rates, problems):
        """The rate of form GET + POST beside the floor's."""
        ratio = statistics.mean(each.per_second for each in rates) / statistics.mean(each.per_second for each in base)
        self.add("Add incident, form GET + POST, 4 clients", f"{ratio:.2f} of the floor's rate",
                 f"at least {ADD_TARGET:.2f}", ratio >= ADD_TARGET)
        errors = [error for each in rates for error in each.errors]
        self.add("Errors while adding", f"{len(errors)} errors, {len(problems)} in the log", "0",
                 not errors and not problems)
        table = [("Form GET + POST", "a second", "CPU ms")]
        for name, several in (("The floor", base), ("Add incident", rates)):
            table.append((name, f"{statistics.mean(each.per_second for each in several):.1f}",
                          f"{statistics.mean(each.cpu_ms for each in several):.1f}"))
        self.tables.append(("Adding", table))
        self.notes += [f"While adding: {error}" for error in sorted(set(errors + problems))[:5]]

    def processes(self, rows):
        """Answers a second of the list and the dashboard by web processes and threads in each."""
        table = [("Web processes", "threads in each", "answers a second", "CPU ms each", "errors")]
        table += [
            (str(processes), str(threads), f"{one.per_second:.0f}", f"{one.cpu_ms:.1f}", str(len(one.errors)))
            for processes, threads, one in rows
        ]
        self.tables.append(("Processes and threads, 4 clients", table))

    # --- Written down ---

    def text(self):
        """Everything, as Markdown."""
        rows = [("What", "Figure", "Target", "")]
        rows += [(what, figure, target, "met" if met else "missed") for what, figure, target, met in self.rows]
        parts = [_table(rows)]
        parts += [f"### {title}\n\n{_table(table)}" for title, table in self.tables]
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts)

    def write(self, path):
        """Replace this database's section of the file."""
        heading = f"## {'PostgreSQL' if self.database == 'postgres' else 'SQLite'}"
        before = path.read_text() if path.exists() else INTRODUCTION
        start = before.find(heading + "\n")
        if start >= 0:
            end = before.find("\n## ", start)
            before = before[:start] + (before[end + 1 :] if end >= 0 else "")
        version = ".".join(map(str, sys.version_info[:2]))
        sizes = ", ".join(f"{number:,} {name}" for name, number in self.size._asdict().items())
        where = f"{sizes}; Python {version}, {platform.system()}."
        path.write_text(f"{before.rstrip()}\n\n{heading}\n\n{where}\n\n{self.text()}\n")


INTRODUCTION = """# Benchmarks

Written by `make bench`. The real server (`python app.py`) and a floor (benchmarks/floor.py: a bare Flask + Peewee +
Jinja page of about 22 kB with a signed session, a user row, a count, a list of 100 people and 50 rows) run side by side
behind the same waitress settings and are measured in turns. CPU time is user and system time of all processes of a
server, by /proc; a ratio says how many floors a page costs, its audit row included. Clients share the machine with the
servers. On PostgreSQL the database's own time is not counted, on either side, and its disk does not sync. Absolute
figures belong to the machine that ran it last.
"""


def _table(rows):
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in padded]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)
