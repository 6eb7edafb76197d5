"""An AnonCreds registry in a folder: what a ledger is elsewhere, for agents of one machine.

Loaded into ACA-Py by ``--plugin registry`` with ``-o registry.folder=FOLDER``. Agents that name the same folder see the
same schemas and credential definitions; an agent that names another one lives in another world, which is how a test
makes a card that does not verify.
"""

from acapy_agent.anoncreds.registry import AnonCredsRegistry
from acapy_agent.config.injection_context import InjectionContext

from .folder import Folder
from .registry import FolderRegistry


async def setup(context: InjectionContext) -> None:
    """Give the agent this registry beside those that it has; called by ACA-Py at its start."""
    path = context.settings.for_plugin("registry").get_value("folder")
    if not path:
        raise ValueError("the registry plugin is told no folder: -o registry.folder=FOLDER")
    registry = FolderRegistry(Folder(path))
    await registry.setup(context)
    context.inject(AnonCredsRegistry).register(registry)
