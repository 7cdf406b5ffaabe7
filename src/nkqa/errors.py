"""Every way in which nkqa says no; each message names the thing, the value and the next step."""


class NkqaError(Exception):
    """The parent of all errors that a user can do something about. `exit_code` is what the CLI ends with."""

    exit_code = 1


class BadQuestion(NkqaError):
    """The question cannot be asked as it stands: empty, too long, or not text."""

    exit_code = 2


class NotFound(NkqaError):
    """A source, passage or name that the corpus does not have."""

    exit_code = 2


class CorpusError(NkqaError):
    """A source file that does not keep its format."""

    exit_code = 3


class IndexMissing(NkqaError):
    """There is no index yet."""

    exit_code = 4


class IndexStale(NkqaError):
    """The index was built from another corpus, model or version than asked for."""

    exit_code = 4


class IndexDamaged(NkqaError):
    """A file of the index is not the one that was written."""

    exit_code = 5


class IndexUnwritable(NkqaError):
    """The index folder cannot be written: no room on the disk, or no right to."""

    exit_code = 73


class IndexBusy(NkqaError):
    """Another process is building the index."""

    exit_code = 75


class ModelError(NkqaError):
    """Weights or a vocabulary that are missing or are not the expected ones."""

    exit_code = 6


class FormatError(NkqaError):
    """A document that could not be read, with the reason."""

    exit_code = 7


class SettingsError(NkqaError):
    """A setting with a value that cannot work."""

    exit_code = 78


class Unavailable(NkqaError):
    """A part that is needed does not answer at the moment."""

    exit_code = 69
