"""Everything that can be wrong with an input, as one family of ValueErrors.

Each message names the layer (or file), says what is wrong, and says what to do.
"""


class FuncsimError(ValueError):
    """Base of every error this package raises on bad input."""


class RepresentationError(FuncsimError):
    """An array cannot serve as a layer's representation."""


class DegenerateLayerError(RepresentationError):
    """The samples of a layer coincide up to rounding, so it has no geometry to compare."""


class LayerSelectionError(FuncsimError):
    """A layer name or pattern selects nothing."""


class CaptureError(FuncsimError):
    """The model ran, but its outputs do not form one row per sample."""


class FileFormatError(FuncsimError):
    """A file is damaged, or was not written by this package."""


class WidthError(FuncsimError):
    """A measure needs layers of equal width, or equal numbers of samples, and got others."""


class InputError(FuncsimError):
    """Texts, images or batches are missing, or are not what is needed."""


class ModelError(FuncsimError):
    """A model is not at hand, or does not fit what is asked of it."""
