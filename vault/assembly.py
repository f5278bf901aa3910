"""The one place where adapters and services are joined into a vault.

Rules:

- Founding leaves a whole vault or nothing: files and the keyring's secret are removed again when any step fails. The header comes last:
  without it there is no vault. A vault is put in its place when its founders have their second factors: one made before could be opened by
  nobody if the founding ended there.
- Opening order: keyring, header, workstation slot, header's HMAC, register, content, directory, witness. Each step fails with its own code.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import stat
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vault import platform as system
from vault.crypto.keypairs import generate_key_pair, verify
from vault.crypto.locksmith import VaultLocksmith
from vault.crypto.passphrase import check_passphrase
from vault.crypto.place_file import place_file_key
from vault.crypto.sealing import bind, derive, new_key
from vault.crypto.selftest import run_self_test
from vault.crypto.slots import Argon2Cost, VaultKeys, WorkstationSecrets, make_workstation_slot, vault_keys
from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.breach import Signal, SignalKind
from vault.domain.identity import PersonId, UnitId, VaultId, WorkstationId
from vault.domain.policy import Policy, policy_from
from vault.errors import DefectError, RefusedError, TamperError, UnavailableError
from vault.place_witness import PlaceWitness
from vault.premises import Binding, OpenedSlot, keep_workstation_secret, open_slot, workstation_secret_name
from vault.rendition.client import RenditionWorker
from vault.secret import Secret, secret_of
from vault.services.accommodation import Accommodations
from vault.services.administration import Administration
from vault.services.breach import Breaches
from vault.services.cases import Cases
from vault.services.credentials import Credentials
from vault.services.custody import Custody
from vault.services.desk import Desk
from vault.services.events import CustodyChanged, Event, RegisterChanged
from vault.services.founding import FoundingUnits, people_and_units
from vault.services.guard import InterfaceGuard
from vault.services.intake import Intake
from vault.services.locksmith import WORKSTATION_CONTEXT
from vault.services.operation import Priority
from vault.services.page_memory import PageMemory
from vault.services.ports import Clock, ContentStore, Entropy, SecretKeeper
from vault.services.premises import Premises
from vault.services.reading import Reading
from vault.services.register import Register
from vault.services.rendition import GreyPicture
from vault.services.session import Session
from vault.services.station_policy import StationPolicy, own_settings
from vault.services.supervision import Supervision
from vault.services.together import SeenTogether
from vault.services.tracing import Impression, TraceTools, Tracing
from vault.services.trust import WorkstationTrust
from vault.services.unusual_reading import UnusualReading
from vault.services.views import Enrolment, Founder
from vault.services.witness import Witness, witness_generation, witness_name
from vault.services.world import Station, Threads, World
from vault.storage import files
from vault.storage.connection import NEWEST_CONTENT_LAYOUT
from vault.storage.content import SqlCipherContentStore
from vault.storage.durable import move_whole, write_code
from vault.storage.header import HEADER_NAME, Header, UnverifiedHeader, read_unverified_header, write_header
from vault.storage.sqlcipher import SqlCipherStore
from vault.threads import InlineThreads

REGISTER_NAME = files.REGISTER_NAME
CONTENT_NAME = files.CONTENT_NAME
LOCK_NAME = files.LOCK_NAME
_BUILDING = ".founding-"
_OTHERS_END_SECONDS = 3.0  # a desk that was closed or killed a moment ago is still closing its files
COPY_MEMORY_NAME = "copies.seen"
SEARCH_MEMORY_NAME = "copies.searched"
FOUNDING_POLICY_NAME = "founding-policy.toml"  # laid there before a vault is founded in the window; not read again
_RESOURCES = Path(__file__).resolve().parent.parent / "resources"
_CLOCK_TOLERANCE_US = 2_000_000  # as the clock sensor: time servers move a clock by less
_log = logging.getLogger("vault.assembly")


@dataclass(slots=True)
class Vault:
    """An open vault: the world, its services and what must be closed."""

    world: World
    session: Session
    desk: Desk
    register: Register
    custody: Custody
    reading: Reading
    intake: Intake
    breaches: Breaches
    supervision: Supervision
    tracing: Tracing
    administration: Administration
    credentials: Credentials
    unusual_reading: UnusualReading
    trust: WorkstationTrust
    accommodations: Accommodations
    guard: InterfaceGuard
    witness: Witness
    place_witness: PlaceWitness  # the witness outside this machine
    store: SqlCipherStore
    content: ContentStore
    renderers: tuple[RenditionWorker, ...]
    copy_memory_key: Secret  # remembers which copies of the vault are already in a report, and where was searched for them
    binding: Binding  # to the key servers of the premises
    premises: Premises
    station_policy: StationPolicy  # for the command line
    opened_signals: tuple[Signal, ...]  # what opening found that belongs in a breach report

    @property
    def services(self) -> tuple[Any, ...]:
        """The services the interface may call."""
        return (
            self.session,
            self.desk,
            self.register,
            self.custody,
            self.reading,
            self.intake,
            self.breaches,
            self.supervision,
            self.tracing,
            self.administration,
            self.credentials,
            self.unusual_reading,
            self.accommodations,
            self.guard,
            self.premises,
        )

    def report_opening(self) -> None:
        """Record what opening found (control thread, after the sensors run)."""
        for signal in self.opened_signals:
            self.breaches.record(signal)

    def close(self) -> None:
        """Checkpoint, witness and close everything."""
        for renderer in self.renderers:
            renderer.end()
        self.store.close()


def load_policy(path: Path | None = None) -> Policy:
    """Read the policy the product ships. Raises RefusedError policy.unknown, policy.out-of-bounds."""
    with (path or _RESOURCES / "policy" / "default.toml").open("rb") as file:
        return policy_from(tomllib.load(file))


def station_policy(shipped: Policy, policy_text: str, *, kept: bool = False) -> Policy:
    """Lay a station's own settings (TOML) over the shipped ones; `kept` if they stand in a vault already.

    Raises:
        RefusedError: policy.unreadable, policy.unknown, policy.out-of-bounds, policy.wrong-value.
    """
    return policy_from(own_settings(policy_text), shipped, kept=kept)


def read_policy_text(path: Path) -> str:
    """Read a station's own settings from a regular file; what they say is not looked at yet. Raises RefusedError policy.unreadable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe in its place is not waited for
        with open(descriptor, encoding="utf-8") as file:  # noqa: PTH123 - opened without waiting
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise RefusedError("policy.unreadable")
            return file.read()
    except (OSError, ValueError) as error:
        raise RefusedError("policy.unreadable") from error


def hold_alone(directory: Path) -> AbstractContextManager[object]:
    """Hold the vault's lock, for one process at a time opens a vault; one that is just ending is waited for.

    Raises:
        UnavailableError: vault.already-open, another process has it; vault.lock-failed.
    """
    return system.single_instance(directory / LOCK_NAME, _OTHERS_END_SECONDS)


def holds_a_vault(directory: Path) -> bool:
    """Whether there is a vault in the folder, or what is left of one."""
    return any((directory / name).exists() for name in (HEADER_NAME, REGISTER_NAME, CONTENT_NAME))


class MadeVault:
    """A vault that is whole, in a folder of its own: no vault of the station before it is put in its place. Holds the vault's lock."""

    def __init__(
        self,
        directory: Path,
        building: Path,
        enrolments: tuple[Enrolment, ...],
        keeper_for: Callable[[str], SecretKeeper],
        lock: ExitStack,
    ) -> None:
        self.enrolments = enrolments
        self._directory = directory
        self._building = building
        self._keeper_for = keeper_for
        self._lock = lock

    def put_in_place(self) -> None:
        """Make it the station's vault; if that fails, nothing is left of it. Raises UnavailableError storage.*."""
        with self._lock:
            try:
                # LIMIT: a power cut between these renames leaves files without a header
                move_whole(self._building, self._directory, HEADER_NAME)
            except BaseException as error:
                for name in (HEADER_NAME, REGISTER_NAME, CONTENT_NAME):
                    (self._directory / name).unlink(missing_ok=True)
                _take_down(self._building, self._keeper_for)
                if isinstance(error, OSError):
                    raise UnavailableError(write_code(error)) from error
                raise

    def take_down(self) -> None:
        """Remove it. Not after `put_in_place`: what the keyring holds is the station's then."""
        with self._lock:
            _take_down(self._building, self._keeper_for)


def make_vault(
    directory: Path,
    station_name: str,
    founders: tuple[Founder, Founder, Founder],
    keeper_for: Callable[[str], SecretKeeper],
    clock: Clock,
    entropy: Entropy,
    cost: Argon2Cost,
    policy_text: str = "",
) -> MadeVault:
    """Make a new vault, to be put in place in `directory` (made if missing, 0700).

    It is made in a folder of its own and moved into place, the header last: a founding that ends before leaves no vault, and the next one
    takes away what it left.

    `policy_text` is TOML: what this station sets differently from `resources/policy/default.toml`, kept in the authenticated header.

    Raises:
        RefusedError: founding.already, passphrase.*, policy.*.
        UnavailableError: keyring.missing, keyring.locked, storage.full, storage.read-only, vault.lock-failed; vault.already-open, another
            founding is under way.
    Audit: vault.founded and one entry for each person and unit.
    """
    if holds_a_vault(directory):
        raise RefusedError("founding.already")  # a vault whose header went is still a vault, and founding must not tidy it away
    for founder in founders:
        check_passphrase(secret_of(founder.passphrase), founder.badge_no)
    station_policy(load_policy(), policy_text)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError("storage.read-only") from error
    with ExitStack() as lock:
        lock.enter_context(hold_alone(directory))
        if holds_a_vault(directory):
            raise RefusedError("founding.already")
        for left in unfinished_foundings(directory):
            _take_down(left, keeper_for)
        vault_id = VaultId(entropy.token())
        building = directory / (_BUILDING + vault_id)
        try:
            building.mkdir(mode=0o700)
            made = _build(building, station_name, founders, vault_id, keeper_for(vault_id), clock, entropy, cost, policy_text)
        except BaseException as error:
            _take_down(building, keeper_for)
            if isinstance(error, OSError):
                raise UnavailableError(write_code(error)) from error
            raise
        return MadeVault(directory, building, made, keeper_for, lock.pop_all())


def found_vault(
    directory: Path,
    station_name: str,
    founders: tuple[Founder, Founder, Founder],
    keeper_for: Callable[[str], SecretKeeper],
    clock: Clock,
    entropy: Entropy,
    cost: Argon2Cost,
    policy_text: str = "",
    show: Callable[[tuple[Enrolment, ...]], None] = lambda _enrolments: None,
) -> tuple[Enrolment, ...]:
    """Make a new vault and put it in its place once `show` has given the founders their second factors; what that raises, leaves nothing.

    Raises and audit: as `make_vault`.
    """
    made = make_vault(directory, station_name, founders, keeper_for, clock, entropy, cost, policy_text)
    try:
        show(made.enrolments)
    except BaseException:
        made.take_down()
        raise
    made.put_in_place()
    return made.enrolments


def unfinished_foundings(directory: Path) -> tuple[Path, ...]:
    """What foundings left that did not come to their end; the next one takes it away."""
    return tuple(directory.glob(_BUILDING + "*"))


def _take_down(building: Path, keeper_for: Callable[[str], SecretKeeper]) -> None:
    """Remove what a founding made before it came to its end, and what it put in the keyring."""
    vault_id = VaultId(building.name.removeprefix(_BUILDING))
    shutil.rmtree(building, ignore_errors=True)
    keeper = keeper_for(vault_id)
    for secret in (workstation_secret_name(vault_id), witness_name(vault_id)):
        keeper.erase(secret)


class NewGround:
    """`services.founding.Ground` over this machine's files and keyring."""

    def __init__(
        self,
        directory: Path,
        keeper_for: Callable[[str], SecretKeeper],
        clock: Clock,
        entropy: Entropy,
        founded: Callable[[], None] = lambda: None,
        cost: Argon2Cost = Argon2Cost(),  # noqa: B008 - frozen
    ) -> None:
        self._directory = directory
        self._keeper_for = keeper_for
        self._clock = clock
        self._entropy = entropy
        self._founded = founded
        self._cost = cost
        self._made: MadeVault | None = None

    def workstation_name(self) -> str:
        """What this workstation is called."""
        return platform.node()

    def is_unfinished(self) -> bool:
        """Whether an earlier founding did not come to its end."""
        return self._made is None and bool(unfinished_foundings(self._directory))

    def build(self, station_name: str, founders: tuple[Founder, Founder, Founder]) -> tuple[Enrolment, ...]:
        """Make the vault. What `FOUNDING_POLICY_NAME` holds in its folder becomes the station's own policy."""
        prepared = self._directory / FOUNDING_POLICY_NAME
        policy_text = read_policy_text(prepared) if prepared.exists() else ""
        if self._made is not None:
            self._made.take_down()
            self._made = None
        self._made = make_vault(
            self._directory, station_name, founders, self._keeper_for, self._clock, self._entropy, self._cost, policy_text
        )
        return self._made.enrolments

    def complete(self) -> None:
        """Put the vault in its place, then say so."""
        made, self._made = self._made, None
        if made is None:
            raise RefusedError("founding.unfinished")
        made.put_in_place()
        self._founded()


def _build(
    directory: Path,
    station_name: str,
    founders: tuple[Founder, Founder, Founder],
    vault_id: VaultId,
    keeper: SecretKeeper,
    clock: Clock,
    entropy: Entropy,
    cost: Argon2Cost,
    policy_text: str,
) -> tuple[Enrolment, ...]:
    workstation_id = WorkstationId(entropy.token())
    workstation_secret = new_key()
    secrets = WorkstationSecrets(new_key(), generate_key_pair())
    keep_workstation_secret(keeper, vault_id, workstation_id, workstation_secret)
    keys = vault_keys(secrets.vault_key)
    locksmith = VaultLocksmith(secrets, cost)
    holders = [locksmith.new_holder() for _ in range(3)]
    ids = [UnitId(entropy.token()) for _ in holders]
    units = FoundingUnits(ids[0], holders[0], ids[1], holders[1], ids[2], holders[2])
    people = tuple(
        (person_id, one, locksmith.new_person(person_id, one.badge_no.strip(), secret_of(one.passphrase), station_name))
        for one, person_id in ((one, PersonId(entropy.token())) for one in founders)
    )
    roots = tuple(made.keys.holder.sign_public for _, _, made in people[:2])
    station = Station(vault_id, station_name, workstation_id, platform.node(), units.supervisors_id, holders[0].kem_public, roots)
    SqlCipherContentStore.create(directory / CONTENT_NAME, keys.content, vault_id, clock, layout=NEWEST_CONTENT_LAYOUT).close()
    store = SqlCipherStore.create(directory / REGISTER_NAME, keys.register, vault_id, workstation_id, clock)
    try:
        world = World(station, store, locksmith, keeper, clock, entropy, Policy(), InlineThreads(), lambda _event: None)
        store.append_audit(AuditDraft(AuditKind.VAULT_FOUNDED, facts=(("vault_id", vault_id),)))
        enrolments = people_and_units(world, units, people)
        Witness(world).checkpoint()
    finally:
        store.close()
    header = Header(
        vault_id=vault_id,
        station_name=station_name,
        generation=1,
        workstation_slots={workstation_id: make_workstation_slot(workstation_secret, None, vault_id, workstation_id, secrets)},
        supervisors_unit_id=units.supervisors_id,
        supervisors_public_kem=holders[0].kem_public,
        argon2_memory_kib=cost.memory_kib,
        argon2_iterations=cost.iterations,
        argon2_lanes=cost.lanes,
        directory_roots=roots,
        directory_roots_signature=locksmith.sign_as_workstation(_roots_statement(vault_id, roots)),
        policy=policy_text,
        content_layout=NEWEST_CONTENT_LAYOUT,
    )
    write_header(directory / HEADER_NAME, header, keys.header_mac)
    return enrolments


def open_vault(
    directory: Path,
    keeper_for: Callable[[str], SecretKeeper],
    clock: Clock,
    entropy: Entropy,
    policy: Policy,
    threads: Threads,
    publish: Callable[[Event], None],
    pages: PageMemory,
    own_open: Callable[[], AbstractContextManager[None]] = nullcontext,
    on_denied: Callable[[str], None] | None = None,
    opened_by: Callable[[UnverifiedHeader], OpenedSlot] | None = None,
) -> Vault:
    """Open a vault at workstation level.

    Args:
        directory: where header, register and content are.
        keeper_for: gives the OS keyring for a vault id.
        clock: time.
        entropy: random bytes.
        policy: what the product ships; the header holds what this station sets differently.
        threads: the process's threads.
        publish: told every event after its commit.
        pages: where page pictures go.
        own_open: entered around openings of the content store, so that the store-access sensor knows them as ours.
        on_denied: told of every SQL action the authorizer denied.
        opened_by: what opens the slot where keyring and key servers do not: the recovery slot's holders.
    Raises:
        UnavailableError: header.missing, keyring.missing, keyring.locked, header.wrong-workstation, premises.*, storage.*.
        TamperError: premises.wrong-answer, recovery.clock-set-back, header.damaged, header.altered, storage.damaged, storage.missing,
            directory.unsigned, crypto.self-test.
    Audit: vault.opened; clock.set-back; vault.swept.
    """
    run_self_test()
    unverified = read_unverified_header(directory / HEADER_NAME)
    keeper = keeper_for(unverified.vault_id)
    opened = opened_by(unverified) if opened_by is not None else open_slot(unverified, keeper, clock.now_us())
    workstation_id, secrets = opened.workstation_id, opened.secrets
    keys = vault_keys(secrets.vault_key)
    header = verified_header(unverified, secrets)
    locksmith = VaultLocksmith(secrets, Argon2Cost(header.argon2_memory_kib, header.argon2_iterations, header.argon2_lanes))
    store = SqlCipherStore.open(directory / REGISTER_NAME, keys.register, workstation_id, clock, on_denied)
    try:
        if opened.recovery is not None and store.latest_entry_time_us() - clock.now_us() > _CLOCK_TOLERANCE_US:
            raise TamperError("recovery.clock-set-back")
        return _join(
            header,
            workstation_id,
            locksmith,
            keys,
            store,
            directory,
            keeper,
            clock,
            entropy,
            policy,
            threads,
            publish,
            pages,
            own_open,
            on_denied,
            derive(secrets.vault_key, "copy-memory"),
            place_file_key(secrets.vault_key),
            keeper_for(header.vault_id),
            Binding(directory, header, opened, keeper, own_open),
        )
    except BaseException:
        store.close()
        raise


def _join(
    header: Header,
    workstation_id: WorkstationId,
    locksmith: VaultLocksmith,
    keys: VaultKeys,
    store: SqlCipherStore,
    directory: Path,
    keeper: SecretKeeper,
    clock: Clock,
    entropy: Entropy,
    shipped: Policy,
    threads: Threads,
    publish: Callable[[Event], None],
    pages: PageMemory,
    own_open: Callable[[], AbstractContextManager[None]],
    on_denied: Callable[[str], None] | None,
    copy_memory_key: Secret,
    placing_key: Secret,
    placing_keeper: SecretKeeper,
    binding: Binding,
) -> Vault:
    station = Station(
        header.vault_id,
        header.station_name,
        workstation_id,
        platform.node(),
        header.supervisors_unit_id,
        header.supervisors_public_kem,
        header.directory_roots,
    )
    listeners: list[Callable[[Event], None]] = [publish]

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    policy = station_policy(shipped, header.policy, kept=True)
    world = World(station, store, locksmith, keeper, clock, entropy, policy, threads, tell)
    world.directory.refresh()
    witness = Witness(world)
    signals = _what_opening_found(world, witness, header.generation)
    content = SqlCipherContentStore.open(directory / CONTENT_NAME, keys.content, on_denied, header.content_layout, own_open)
    _sweep(world, content)
    cases = Cases(world)
    custody = Custody(world, cases)
    register = Register(world, cases, custody)
    reader, prober = RenditionWorker(pages), RenditionWorker(None)
    reading = Reading(world, cases, reader, content, pages.wipe)
    world.leave_page = reading.leave_page
    world.dwell_ms = reading.dwell_ms
    desk = Desk(world, cases, register)

    def listen(event: Event) -> None:
        if isinstance(event, RegisterChanged):
            desk.forget()
        elif isinstance(event, CustodyChanged) and event.ended is not None and event.check_out_id is not None:
            reading.custody_ended(event.check_out_id)

    listeners.insert(0, listen)
    together = SeenTogether(world)
    breaches = Breaches(world, custody, lambda: reading.on_screen, together)
    accommodations = Accommodations(world)
    world.accommodated_until_us = accommodations.until_us
    unusual_reading = UnusualReading(world, cases, breaches.record_flag)
    reading.page_left, reading.viewed = unusual_reading.page_left, unusual_reading.viewed

    def observed(signal: Signal) -> None:
        world.on_control(lambda: breaches.record(signal), Priority.BREACH)

    world.observed = observed
    session = Session(world)
    store.append_audit(AuditDraft(AuditKind.VAULT_OPENED))
    return Vault(
        world=world,
        session=session,
        desk=desk,
        register=register,
        custody=custody,
        reading=reading,
        intake=Intake(world, cases, prober, content),
        breaches=breaches,
        supervision=Supervision(world, cases, custody, witness, together),
        tracing=Tracing(world, custody, TraceTools(_picture_parser, _impression, reader.marks)),
        administration=Administration(world, custody),
        credentials=Credentials(world, session.lock),
        unusual_reading=unusual_reading,
        accommodations=accommodations,
        guard=InterfaceGuard(world),
        trust=WorkstationTrust(world, lambda: reading.on_screen),
        witness=witness,
        place_witness=PlaceWitness(world, placing_key, placing_keeper, lambda: binding.lock, lambda: binding.generation, breaches.record),
        store=store,
        content=content,
        renderers=(reader, prober),
        copy_memory_key=copy_memory_key,
        binding=binding,
        premises=Premises(world, breaches, binding),
        station_policy=StationPolicy(world, breaches, binding, shipped),
        opened_signals=tuple(signals),
    )


@contextmanager
def _picture_parser() -> Iterator[RenditionWorker]:
    """A worker and a page memory of its own for one picture that somebody brought: no document of the vault was ever in it."""
    pages = PageMemory.create()
    worker = RenditionWorker(pages)
    try:
        yield worker
    finally:
        worker.end()
        pages.wipe()
        pages.close()


def _impression(picture: GreyPicture) -> Impression:
    from vault.trace.impression import PictureImpression  # noqa: PLC0415 -- numpy, which no start of the vault should pay for

    return PictureImpression(picture)


def _what_opening_found(world: World, witness: Witness, header_generation: int) -> list[Signal]:
    """Compare clock and witness with the trail; what does not agree becomes a report, and the vault opens so that it can be made."""
    found: list[Signal] = []
    now_us = world.clock.now_us()
    behind_us = world.store.latest_entry_time_us() - now_us
    if behind_us > _CLOCK_TOLERANCE_US:
        seconds = behind_us // 1_000_000
        world.store.append_audit(AuditDraft(AuditKind.CLOCK_SET_BACK, facts=(("seconds", seconds),)))
        found.append(Signal(SignalKind.CLOCK_SET_BACK, now_us, (("seconds", seconds),)))
    for check in (
        witness.check_at_opening,
        lambda: witness_generation(world.keeper, world.station.vault_id, header_generation),
    ):
        try:
            check()
        except TamperError as error:
            found.append(Signal(SignalKind.STORE_TAMPERED, now_us, (("code", error.code), *error.facts.items())))
    return found


def _sweep(world: World, content: SqlCipherContentStore) -> None:
    writer = content.open_writer()
    try:
        swept = writer.sweep(world.store.document_ids())
    finally:
        writer.close()
    if swept:
        world.store.append_audit(AuditDraft(AuditKind.VAULT_SWEPT, facts=(("documents", swept),)))


def verified_header(unverified: UnverifiedHeader, secrets: WorkstationSecrets) -> Header:
    """Verify a header with what its workstation slot opened to, and that the workstation's key signed its roots of trust in people.

    Raises:
        TamperError: header.altered, header.damaged, signature.invalid.
    """
    header = unverified.verify(vault_keys(secrets.vault_key).header_mac)
    verify(
        secrets.key_pair.public.sign,
        WORKSTATION_CONTEXT,
        _roots_statement(header.vault_id, header.directory_roots),
        header.directory_roots_signature,
    )
    return header


def _roots_statement(vault_id: VaultId, roots: tuple[bytes, ...]) -> bytes:
    if not roots:
        raise DefectError("header.no-roots")
    return bind("directory-roots", vault_id, *roots)
