"""The one kind of error whose message is meant for the person at the terminal."""


class BookError(Exception):
    """Something the author or the reader can put right; the message says what and where."""


def report(findings: list[str], checked: str) -> None:
    """Print what was checked, or raise one `BookError` that lists every finding."""
    if findings:
        number = f"{len(findings)} finding" + ("s" if len(findings) > 1 else "")
        raise BookError("\n".join([*findings, f"{number} in {checked}"]))
    print(f"no finding in {checked}")
