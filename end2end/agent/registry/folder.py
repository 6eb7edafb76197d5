"""Objects kept as JSON, each in a file of its own that is named after the object's id."""

import json
import os
import tempfile
from pathlib import Path
from typing import Optional
from urllib.parse import quote


class Folder:
    """A folder of objects by kind and id, which processes may read and write at the same time."""

    def __init__(self, path: str):
        """Take the folder at this path, which is made when something is first kept."""
        self._path = Path(path)

    def get(self, kind: str, id_: str) -> Optional[dict]:
        """Return the object, or None where there is none.

        It is read from the disk each time: a test may change the file, and another agent may have just written it.
        """
        try:
            return json.loads(self._file(kind, id_).read_text())
        except FileNotFoundError:
            return None

    def add(self, kind: str, id_: str, value: dict) -> bool:
        """Keep an object under a new id; False where the id is taken, and then nothing is changed.

        The text is written elsewhere and linked under its name when it is whole: nobody ever reads half of it, and of
        two processes that add the same id at the same time one is told so.
        """
        file = self._file(kind, id_)
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".new-") as draft:
            json.dump(value, draft, indent=2)
            draft.flush()
            try:
                os.link(draft.name, file)
            except FileExistsError:
                return False
        return True

    def _file(self, kind: str, id_: str) -> Path:
        # Quoted with its slashes, so that no id can name a file outside of the folder.
        return self._path / kind / f"{quote(id_, safe='')}.json"
