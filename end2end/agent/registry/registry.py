"""The registry as ACA-Py asks for it: it resolves ids and registers objects, and knows no revocation."""

import hashlib
import re
from typing import NoReturn, Optional, Pattern, Sequence
from urllib.parse import quote

from acapy_agent.anoncreds.base import (
    AnonCredsObjectAlreadyExists,
    AnonCredsObjectNotFound,
    AnonCredsRegistrationError,
    AnonCredsSchemaAlreadyExists,
    BaseAnonCredsRegistrar,
    BaseAnonCredsResolver,
)
from acapy_agent.anoncreds.models.credential_definition import (
    CredDef,
    CredDefResult,
    CredDefState,
    GetCredDefResult,
)
from acapy_agent.anoncreds.models.revocation import (
    GetRevListResult,
    GetRevRegDefResult,
    RevList,
    RevListResult,
    RevRegDef,
    RevRegDefResult,
)
from acapy_agent.anoncreds.models.schema import (
    AnonCredsSchema,
    GetSchemaResult,
    SchemaResult,
    SchemaState,
)
from acapy_agent.anoncreds.models.schema_info import AnonCredsSchemaInfo
from acapy_agent.config.injection_context import InjectionContext
from acapy_agent.core.profile import Profile

from .folder import Folder

SCHEMAS = "schemas"
CRED_DEFS = "cred-defs"


class FolderRegistry(BaseAnonCredsResolver, BaseAnonCredsRegistrar):
    """Keeps the objects of issuers that are named by a did:key.

    The agent's own registries take Indy's DIDs and did:web, and it refuses an id that two registries take.

    ``<issuer>/schema/<name>/<version>`` is the id of a schema, and ``<issuer>/cred-def/<digest>/<tag>`` that of a
    credential definition, where the digest stands for its schema's id.
    """

    def __init__(self, folder: Folder):
        """Keep the objects in this folder."""
        self._folder = folder

    @property
    def supported_identifiers_regex(self) -> Pattern:
        """Tell which ids are resolved here."""
        return re.compile(r"^did:key:z[1-9A-HJ-NP-Za-km-z]+(/(schema|cred-def)/[^/]+/[^/]+)?$")

    async def setup(self, context: InjectionContext) -> None:
        """Do nothing: the folder is all there is."""

    async def get_schema(self, profile: Profile, schema_id: str) -> GetSchemaResult:
        """Return a schema."""
        return GetSchemaResult(
            schema=AnonCredsSchema.deserialize(self._get(SCHEMAS, schema_id)),
            schema_id=schema_id,
            resolution_metadata={},
            schema_metadata={},
        )

    async def get_schema_info_by_id(self, profile: Profile, schema_id: str) -> AnonCredsSchemaInfo:
        """Return what a holder needs to filter its credentials by schema."""
        schema = AnonCredsSchema.deserialize(self._get(SCHEMAS, schema_id))
        return AnonCredsSchemaInfo(schema.issuer_id, schema.name, schema.version)

    async def register_schema(
        self, profile: Profile, schema: AnonCredsSchema, options: Optional[dict] = None
    ) -> SchemaResult:
        """Keep a schema; there is one of each name and version of an issuer."""
        schema_id = f"{schema.issuer_id}/schema/{quote(schema.name, safe='')}/{quote(schema.version, safe='')}"
        if not self._folder.add(SCHEMAS, schema_id, schema.serialize()):
            known = AnonCredsSchema.deserialize(self._get(SCHEMAS, schema_id))
            raise AnonCredsSchemaAlreadyExists("this schema is registered already", schema_id, known)
        return SchemaResult(None, SchemaState(SchemaState.STATE_FINISHED, schema_id, schema))

    async def get_credential_definition(self, profile: Profile, credential_definition_id: str) -> GetCredDefResult:
        """Return a credential definition."""
        return GetCredDefResult(
            credential_definition_id=credential_definition_id,
            credential_definition=CredDef.deserialize(self._get(CRED_DEFS, credential_definition_id)),
            resolution_metadata={},
            credential_definition_metadata={},
        )

    async def register_credential_definition(
        self,
        profile: Profile,
        schema: GetSchemaResult,
        credential_definition: CredDef,
        options: Optional[dict] = None,
    ) -> CredDefResult:
        """Keep a credential definition; there is one of each schema and tag of an issuer."""
        if credential_definition.value.revocation:
            self._refuse_revocation()
        digest = hashlib.sha256(schema.schema_id.encode()).hexdigest()[:12]
        tag = quote(credential_definition.tag, safe="")
        cred_def_id = f"{credential_definition.issuer_id}/cred-def/{digest}/{tag}"
        if not self._folder.add(CRED_DEFS, cred_def_id, credential_definition.serialize()):
            raise AnonCredsObjectAlreadyExists("this credential definition is registered already", cred_def_id)
        state = CredDefState(CredDefState.STATE_FINISHED, cred_def_id, credential_definition)
        return CredDefResult(None, state, registration_metadata={}, credential_definition_metadata={})

    async def get_revocation_registry_definition(
        self, profile: Profile, revocation_registry_id: str
    ) -> GetRevRegDefResult:
        """Find none."""
        raise AnonCredsObjectNotFound(f"no revocation registry is kept here: {revocation_registry_id}")

    async def get_revocation_list(
        self,
        profile: Profile,
        revocation_registry_id: str,
        timestamp_from: Optional[int] = 0,
        timestamp_to: Optional[int] = None,
    ) -> GetRevListResult:
        """Find none."""
        raise AnonCredsObjectNotFound(f"no revocation list is kept here: {revocation_registry_id}")

    async def register_revocation_registry_definition(
        self,
        profile: Profile,
        revocation_registry_definition: RevRegDef,
        options: Optional[dict] = None,
    ) -> RevRegDefResult:
        """Refuse."""
        self._refuse_revocation()

    async def register_revocation_list(
        self, profile: Profile, rev_reg_def: RevRegDef, rev_list: RevList, options: Optional[dict] = None
    ) -> RevListResult:
        """Refuse."""
        self._refuse_revocation()

    async def update_revocation_list(
        self,
        profile: Profile,
        rev_reg_def: RevRegDef,
        prev_list: RevList,
        curr_list: RevList,
        revoked: Sequence[int],
        options: Optional[dict] = None,
    ) -> RevListResult:
        """Refuse."""
        self._refuse_revocation()

    def _get(self, kind: str, id_: str) -> dict:
        value = self._folder.get(kind, id_)
        if value is None:
            raise AnonCredsObjectNotFound(f"not in the registry's folder: {id_}")
        return value

    def _refuse_revocation(self) -> NoReturn:
        raise AnonCredsRegistrationError("this registry keeps nothing that can be revoked")
