"""OneRoster sets in CSV, versions 1.1 and 1.2 (1EdTech): read, held against the school, saved.

bundle.py opens zip or folder, spec.py is what the specifications say, reading.py makes one roster of the files, planning.py
holds it against what there is.
"""

from blueprints.imports.oneroster.bundle import read_folder, read_zip
from blueprints.imports.oneroster.planning import resolve, save
from blueprints.imports.oneroster.reading import parse

__all__ = ["parse", "read_folder", "read_zip", "resolve", "save"]
