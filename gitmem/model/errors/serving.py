"""What an agent asks the server for and does not get."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError


class ServerLibraryMissing(GitmemError):
    """The library that speaks the protocol is not installed, or not one that gitmem can use."""

    hint = "pip install '.[mcp]': installs it, in a checkout of gitmem"

    def __init__(self, library: str) -> None:
        self.library = library
        super().__init__(f"could not serve agents: the library {library} is not installed")


class CursorRefused(GitmemError):
    """A cursor is none of ours, or goes on with another question than it was asked with."""

    hint = "leave the cursor out: begins anew; a cursor goes with the same arguments that it came with"

    def __init__(self) -> None:
        super().__init__("could not go on: the cursor does not belong to this question")


class ArgumentsRefused(GitmemError):
    """A tool was called with what it does not take."""

    def __init__(self, tool: str, why: str, takes: tuple[str, ...]) -> None:
        self.tool, self.why, self.takes = tool, why, takes
        super().__init__(f"could not call {tool}: {why}", hint=f"{tool}: takes {', '.join(takes)}")


class UntrustedRefused(GitmemError):
    """An agent asks for what unknown authors captured, and whoever started the server did not allow that."""

    hint = "gitmem mcp --untrusted: allows it; it is for the person at this machine to say"

    def __init__(self) -> None:
        super().__init__("could not tell of untrusted authors: this server was not started so")


class AuthorUntrusted(GitmemError):
    """An agent asks for something by name, and it is by somebody whom the user does not know."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"could not show {name}: the person at this machine does not know its author",
            hint="gitmem show NAME: shows it to a person; gitmem mcp --untrusted: lets agents ask for it",
        )


class PrivateUntold(GitmemError):
    """An agent asks for a private session; what it is told stands in a transcript that may be shared."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"could not show {name}: it is private, and this session may be seen by others",
            hint="gitmem show NAME: shows it to a person; gitmem mcp --private: lets agents ask for it",
        )


class AddressRefused(GitmemError):
    """A resource's address is not of a form that is served."""

    hint = "gitmem://session/AGENT/ID: reads a session; gitmem://note/ID: reads a note"

    def __init__(self, uri: str) -> None:
        self.uri = uri
        super().__init__(f"could not read {uri[:200]!r}: nothing is served at such an address")


class PortRefused(GitmemError):
    """There is no listening at a port."""

    hint = "gitmem mcp --http 0: listens at any port that is free"

    def __init__(self, port: int, why: str) -> None:
        self.port, self.why = port, why
        super().__init__(f"could not listen at 127.0.0.1:{port}: {why}")
