"""A OneRoster set as it comes: a zip, or a folder for the command line. Nothing of a zip is ever written to the disk, and no
name in it is used but to find the files by; what is too large, or made to mislead, is refused before it is unpacked.
"""

import csv
import io
import stat
import zipfile
import zlib
from collections import namedtuple
from pathlib import Path, PurePosixPath

from blueprints.imports.oneroster import spec
from blueprints.kit.csvread import CsvProblem
from blueprints.kit.text import human_size, plural

MEGABYTE = 1024 * 1024
MAX_ZIP = 25 * MEGABYTE
MAX_FILE = 64 * MEGABYTE  # of one file, unpacked
MAX_ALL = 256 * MEGABYTE  # of all files in a zip, unpacked
MAX_ENTRIES = 500
MAX_DIRECTORY = 256 * 1024  # bytes of the zip's table of contents
MAX_USERS = 50_000  # written in one transaction that keeps other writers waiting
MAX_ROWS = 500_000
MAX_BLANK = 1000  # empty lines in a row
MAX_COLUMNS = 200
MAX_CELL = 10_000
MAX_RECORD = 500_000  # characters
WANTED = {f"{name}.csv".casefold(): name for name in spec.COLUMNS}
Row = {name: namedtuple(name.capitalize(), ("line", *columns)) for name, columns in spec.COLUMNS.items()}


class Bundle:
    """The files of a set that manifest.csv announces. `version` is "1.1" or "1.2", `modes` {file: how it comes}, `len()` the
    rows of users.csv. Raises CsvProblem when it is no such set."""

    def __init__(self, files):
        self._files = files
        self.version, self.modes = self._manifest()
        self.counts = {name: self._count(name) for name in self.modes}

    def __len__(self):
        return self.counts["users"]

    def has(self, name):
        """Whether the file is part of the set."""
        return name in self.modes

    def is_whole(self, name):
        """Whether the file lists all there is of its kind."""
        return self.modes.get(name) == spec.BULK

    def rows(self, name):
        """(line, Row or None, sentence or None) for each row of the file that is not blank; the Row's `line` is where it
        begins. Raises CsvProblem for a file that can't be read."""
        return _table(name, self._files[name], spec.required(self.version, name, self.modes.get(name)))

    def _manifest(self):
        if "manifest" not in self._files:
            raise CsvProblem("There is no manifest.csv. A OneRoster set says in it which files it has.")
        self.version, self.modes = spec.VERSIONS[0], {}
        said = {}
        for _, row, problem in self.rows("manifest"):
            if problem:
                raise CsvProblem(problem)
            said[row.propertyName.casefold()] = row.value
        version = said.get("oneroster.version", "")
        if version[:3] not in spec.VERSIONS:
            raise CsvProblem(f"manifest.csv names the OneRoster version {version or 'nowhere'}. Caseward reads 1.1 and 1.2.")
        modes = {name: self._mode(name, said) for name in spec.COLUMNS if name != "manifest"}
        modes = {name: mode for name, mode in modes.items() if mode != spec.ABSENT}
        if version[:3] == "1.1":
            modes.pop("roles", None)  # came with 1.2
        for name in spec.NEEDED[version[:3]]:
            if name not in modes:
                raise CsvProblem(f"{name}.csv is absent. OneRoster {version[:3]} can't be imported without it.")
        return version[:3], modes

    def _mode(self, name, said):
        is_there = name in self._files
        mode = said.get(f"file.{name}".casefold(), spec.BULK if is_there else spec.ABSENT).casefold()
        if mode not in (spec.BULK, spec.DELTA, spec.ABSENT):
            raise CsvProblem(f"manifest.csv says “{mode[:40]}” of {name}.csv. It can say bulk, delta or absent.")
        if mode != spec.ABSENT and not is_there:
            raise CsvProblem(f"manifest.csv says that {name}.csv is there ({mode}), and it is missing.")
        return mode

    def _count(self, name):
        """Reads the headings of every file, and the rows of users.csv: a set that can't be taken is refused at once."""
        count = 0
        for _ in self.rows(name):
            count += 1
            if name != "users":
                break
            if count > MAX_USERS:
                raise CsvProblem(f"users.csv has more than {MAX_USERS:,} rows.")
        if name == "users" and not count:
            raise CsvProblem("users.csv has headings but no rows under them.")
        return count


# --- A file ----------------------------------------------------------------------------------------------------------


class _Lines:
    """The physical lines of a file, counted, and refused while they are cheap to refuse."""

    def __init__(self, name, text):
        self._text = text
        self.name, self.number, self.characters = name, 0, 0

    def __iter__(self):
        return self

    def __next__(self):
        line = self._text.readline(MAX_RECORD + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.characters += len(line)
        if self.characters > MAX_RECORD:
            raise CsvProblem(f'{self.name}.csv line {self.number} is too long. Perhaps a quotation mark (") is missing.')
        return line


def _table(name, opened, required):
    with opened() as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        try:
            yield from _rows(_Lines(name, text), required)
        except UnicodeDecodeError:
            raise CsvProblem(f"{name}.csv is not in UTF-8, as OneRoster demands.") from None
        except csv.Error:
            raise CsvProblem(f'{name}.csv: a quotation mark (") is out of place or never closed.') from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
            raise CsvProblem(f"{name}.csv is damaged and can't be read.") from None


def _rows(lines, required):
    name, reader = lines.name, csv.reader(lines, strict=True)
    header = [cell.strip() for cell in next(_records(lines, reader), (0, []))[1]]
    places = {heading.casefold(): place for place, heading in reversed(list(enumerate(header)))}
    missing = [heading for heading in required if heading.casefold() not in places]
    if missing:
        raise CsvProblem(f"{name}.csv has no column {' and none '.join(missing)}, which OneRoster requires.")
    make, width = Row[name], len(header)
    # A column that the file lacks is taken from one that is empty, behind the last heading.
    take = [places.get(column.casefold(), width) for column in spec.COLUMNS[name]]
    for count, (line, cells) in enumerate(_records(lines, reader), 1):
        if count > MAX_ROWS:
            raise CsvProblem(f"{name}.csv has more than {MAX_ROWS:,} rows.")
        if len(cells) != width and any(cells[width:]) or len(cells) < width:
            yield line, None, f"There are {plural(len(cells), 'cell')}, but {plural(width, 'heading')}."
            continue
        cells[width:] = ("",)
        yield line, make(line, *[cells[place].strip() for place in take]), None


def _records(lines, reader):
    """(the line it begins on, cells) of each record that is not blank."""
    blank = 0
    while True:
        start, lines.characters = lines.number + 1, 0
        cells = next(reader, None)
        if cells is None:
            return
        if not any(cells):
            blank += 1
        elif lines.characters <= MAX_CELL and len(cells) <= MAX_COLUMNS:
            blank = 0
            yield start, cells
            continue
        if blank > MAX_BLANK:
            raise CsvProblem(f"{lines.name}.csv has more than {MAX_BLANK:,} empty lines at line {start}. Save it without them.")
        if len(cells) > MAX_COLUMNS:
            raise CsvProblem(f"{lines.name}.csv line {start} has more than {MAX_COLUMNS} columns.")
        if any(len(cell) > MAX_CELL for cell in cells):
            raise CsvProblem(f"{lines.name}.csv line {start} has a cell of more than {MAX_CELL:,} characters.")
        if any(cells):
            blank = 0
            yield start, cells


# --- Where the files are ---------------------------------------------------------------------------------------------


def read_folder(path):
    """The Bundle in a folder, in the one folder below it that has a manifest.csv, or in a zip file. Raises CsvProblem."""
    path = Path(path)
    if path.is_file():
        if path.stat().st_size > MAX_ZIP:
            raise CsvProblem(f"The zip is {human_size(path.stat().st_size)}. It can be at most {human_size(MAX_ZIP)}.")
        return read_zip(path.read_bytes())
    folders = [folder for folder in (path, *sorted(path.iterdir())) if folder.is_dir() and "manifest" in _in_folder(folder)]
    if len(folders) > 1 and folders[0] != path:
        raise CsvProblem("There is more than one folder with a manifest.csv. Name the one to import.")
    found = _in_folder(folders[0]) if folders else {}
    for name, file in found.items():
        _refuse_size(name, file.stat().st_size)
    return Bundle({name: lambda file=file: file.open("rb") for name, file in found.items()})


def _in_folder(folder):
    return {WANTED[file.name.casefold()]: file for file in sorted(folder.iterdir()) if file.name.casefold() in WANTED}


def read_zip(data):
    """The Bundle in the bytes of a zip file. Raises CsvProblem."""
    if len(data) > MAX_ZIP:
        raise CsvProblem(f"The zip is {human_size(len(data))}. It can be at most {human_size(MAX_ZIP)}.")
    if not data.startswith(b"PK\x03\x04"):
        raise CsvProblem("This is not a zip file. Send the zip with manifest.csv and users.csv in it.")
    _refuse_directory(data)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise CsvProblem("The zip is damaged and can't be read.") from None
    entries = archive.infolist()
    _refuse_entries(entries)
    found = _in_manifests_folder(entries)
    for name, entry in found.items():
        _refuse_size(name, entry.file_size)
    return Bundle({name: lambda entry=entry: _opened(archive, entry) for name, entry in found.items()})


def _opened(archive, entry):
    try:
        return archive.open(entry)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, ValueError):
        raise CsvProblem(f"{PurePosixPath(entry.filename).name} is damaged and can't be read.") from None


def _refuse_directory(data):
    """A table of contents too long for any such set, or of the kind for archives above 4 GB, is not even taken apart."""
    end = data.rfind(b"PK\x05\x06")
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    if end < 0 or len(data) < end + 22 or data[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        raise CsvProblem("The zip is damaged, or of a kind that is for archives of more than 4 GB. Pack it again.")
    if size > MAX_DIRECTORY:
        raise CsvProblem(f"The zip holds more than {MAX_ENTRIES} files. A OneRoster set has some twenty.")


def _refuse_entries(entries):
    if len(entries) > MAX_ENTRIES:
        raise CsvProblem(f"The zip holds more than {MAX_ENTRIES} files. A OneRoster set has some twenty.")
    if sum(entry.file_size for entry in entries) > MAX_ALL:
        raise CsvProblem(f"Unpacked, the zip would be more than {human_size(MAX_ALL)}.")
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename or "\0" in entry.orig_filename:
            raise CsvProblem("The zip has a file whose name leads out of it. Pack it again.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise CsvProblem("The zip has a link in it instead of a file. Pack it again.")
        if entry.flag_bits & 1:
            raise CsvProblem("The zip is encrypted. Pack it again without a password.")


def _in_manifests_folder(entries):
    """{name: entry} of the files beside manifest.csv, whatever folder of the zip that is."""
    paths = [(PurePosixPath(entry.filename.replace("\\", "/")), entry) for entry in entries if not entry.is_dir()]
    paths = [(path, entry) for path, entry in paths if path.name.casefold() in WANTED and path.parts[0] != "__MACOSX"]
    folders = [path.parent for path, _ in paths if WANTED[path.name.casefold()] == "manifest"]
    if len(folders) > 1:
        raise CsvProblem("The zip has more than one manifest.csv. Send one set at a time.")
    found = {}
    for path, entry in paths:
        if path.parent not in folders:
            continue
        if WANTED[path.name.casefold()] in found:
            raise CsvProblem(f"The zip has {path.name} twice.")
        found[WANTED[path.name.casefold()]] = entry
    return found


def _refuse_size(name, size):
    if size > MAX_FILE:
        raise CsvProblem(f"{name}.csv is {human_size(size)}. A file can be at most {human_size(MAX_FILE)}.")
