"""The sensors of a vault process, joined: what runs, what it says, and the honest states of all protections.

Protections of the interface (keys, clipboard, Print Screen) are in the list too, as the interface proved them last (`services.guard`).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from vault import platform as system
from vault.assembly import CONTENT_NAME, COPY_MEMORY_NAME, REGISTER_NAME, SEARCH_MEMORY_NAME, Vault
from vault.domain.breach import Signal, SignalKind
from vault.domain.place import MISFITS, Facts, Fit
from vault.domain.policy import Policy
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.errors import RefusedError
from vault.keyring_state import DEMO_KEYRING, KeyringState
from vault.place_witness import PlaceWitness
from vault.platform import environment
from vault.platform.session_bus import BusFinding, Standing, examine_session_bus
from vault.premises import Lease, workstation_secret_name
from vault.sensors import mounts
from vault.sensors.captures import CapturesSensor
from vault.sensors.clock import ClockSensor
from vault.sensors.contract import wall_clock_us
from vault.sensors.copies import CopiesSensor
from vault.sensors.copy_memory import CopyMemory
from vault.sensors.fingerprint import Fingerprint
from vault.sensors.hub import SensorHub
from vault.sensors.media import MediaSensor
from vault.sensors.memory_guard import MemoryGuard
from vault.sensors.pictures import NewPictures
from vault.sensors.place import PlaceReader, PlaceWatch
from vault.sensors.process_guard import ProcessGuard
from vault.sensors.remote import RemoteSensor
from vault.sensors.searched import SearchedFiles
from vault.sensors.store_access import StoreAccessSensor, own_descriptor
from vault.sensors.synthetic_input import SyntheticInputSensor
from vault.services.events import CustodyChanged, Event, PremisesChanged, ScreenBlanked
from vault.services.operation import Lane
from vault.services.ports import Clock
from vault.storage.desk_mark import DeskState, leave_mark
from vault.storage.header import HEADER_NAME

_STARTING_SECONDS = 2.0
_HELD = frozenset({SignalKind.STORE_OPENED, SignalKind.STORE_CHANGED})


class Watching:
    """Runs the sensors around one open vault."""

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        observed: Callable[[Signal], None],
        lock: Callable[[str], None],
        publish: Callable[[Event], None],
    ) -> None:
        self._directory = directory
        self._observed = observed
        self._publish = publish
        self._said: tuple[ProtectionStatus, ...] = ()
        register, content = directory / REGISTER_NAME, directory / CONTENT_NAME
        files = (register, Path(f"{register}-wal"), content, Path(f"{content}-wal"), directory / HEADER_NAME)
        self._store_access = StoreAccessSensor(files, lambda: frozenset({os.getpid()}), lambda: own_descriptor(register))
        self._files = files
        self._clock = clock
        self._copies: CopiesSensor | None = None
        self._captures: CapturesSensor | None = None
        self._remote: RemoteSensor | None = None
        self._case_is_out = False
        self._marked: DeskState | None = None  # what the sentinel can read of this desk
        self._marking = threading.Lock()
        self._stopping = threading.Event()
        self._hub: SensorHub | None = None
        self._keyring: KeyringState | None = None
        self._bus: BusFinding | None = None
        self._starting: threading.Thread | None = None
        self._session_signals = system.SessionSignals(lock)
        self._lease: Lease | None = None
        self._place_witness: PlaceWitness | None = None
        self._place: PlaceWatch | None = None
        self._blanked_for: set[str] = set()
        self._blanking = threading.Lock()

    def own_open(self) -> AbstractContextManager[None]:
        """Around every opening of a vault file by this process that is closed again."""
        return self._store_access.expect_own_open()

    def start(self, vault: Vault, premises_over: Callable[[], None]) -> None:
        """Start the sensors and the lease; their first self-tests run beside the control thread.

        `premises_over` is called once, on the lease's thread, when the premises were not proven for as long as the lease.
        """
        self._follow_premises(vault, premises_over)
        vault.place_witness.start()
        self._place_witness = vault.place_witness
        folders = [Path(one).expanduser() for one in vault.world.policy.copies_watched_folders]
        databases = [self._directory / REGISTER_NAME, self._directory / CONTENT_NAME]
        self._copies = CopiesSensor(
            Fingerprint(self._store_access.salts, vault.world.station.vault_id, databases, self._store_access.descriptor_of),
            folders,
            self._directory,
            own_files=self._files,
            memory=CopyMemory(self._directory / COPY_MEMORY_NAME, vault.copy_memory_key.reveal()),
            searched=SearchedFiles(self._directory / SEARCH_MEMORY_NAME, vault.copy_memory_key.reveal()),
            beside=lambda path, head: pictures.look(path, head),  # noqa: PLW0108 - made below
        )
        self._remote = RemoteSensor(
            os.environ, lambda: vault.world.session is not None, report_virtual_machine=vault.world.policy.virtual_machine_reported
        )
        self._follow_place(vault, self._remote)
        media = MediaSensor(lambda: self._case_is_out, folders, self._copies.look_again)
        self._follow_custody(vault)
        captures = CapturesSensor(
            lambda: vault.reading.on_screen is not None,
            lambda: vault.world.session is not None,
            lambda blanked: self._blank("capture", blanked),
            allowed=vault.world.policy.capture_allowed_programs,
            own_pids=(os.getpid(), os.getppid()),
        )
        vault.world.screen = self._captures = captures
        pictures = NewPictures(captures.page_was_shown, captures.screen_size_px, self._observed, vault.reading.covered_seconds)
        synthetic = SyntheticInputSensor(lambda: vault.world.session is not None, wanted=vault.world.policy.synthetic_input_reported)
        hub = SensorHub(
            (self._store_access, self._copies, ClockSensor(), media, self._remote, captures, synthetic, *_of_processes(vault)),
            self._observed,
            self._clock,
        )

        def begin() -> None:
            self._examine_bus()
            while not self._is_started(hub):
                if self._stopping.wait(_STARTING_SECONDS):
                    return
            self._mark(DeskState.CASE_OUT if self._case_is_out else DeskState.WATCHING)
            self._session_signals.start()

        self._starting = threading.Thread(target=begin, name="sensors-start", daemon=True)
        self._starting.start()

    def _is_started(self, hub: SensorHub) -> bool:
        """Start the sensors; where the account may have no thread more, those that can be. What cannot is reported."""
        self._hub = hub
        try:
            hub.start()
        except RuntimeError:
            return False
        return True

    def stop(self) -> None:
        """Stop the sensors before the store closes its files."""
        self._stopping.set()
        if self._lease is not None:
            self._lease.stop()
        if self._place_witness is not None:
            self._place_witness.stop()
        if self._place is not None:
            self._place.stop()
        if self._starting is not None:
            self._starting.join(_STARTING_SECONDS)  # a sensor may hang
        self._store_access.open_no_more()
        self._mark(DeskState.ENDING)
        self._session_signals.stop()
        if self._hub is not None:
            self._hub.stop()
            if self._hub.hangs:
                mounts.break_off_silent()  # the process would not end, nor its keys, for as long as nobody answers

    def refusal(self, vault: Vault) -> RefusedError | None:
        """Say why this station's policy keeps the desk closed where it is, and report it; None if it does not. After `start`."""
        if self._remote is None:
            return None
        refused = refused_here(vault.world.policy, self._remote)
        if refused is not None:
            self._observed(refused[1])
        return refused[0] if refused else None

    def let_go(self, signal: Signal) -> None:
        """A held opening may go on: its report is durable, or could not be made and holding longer helps nobody."""
        if signal.kind in _HELD:
            self._store_access.release()

    def recorded(self, signal: Signal) -> None:
        """The report of a signal is durable: a copy is not reported again at the next start."""
        if signal.kind is SignalKind.STORE_COPIED and self._copies is not None:
            self._copies.confirm(signal)

    def statuses(self, vault: Vault) -> tuple[ProtectionStatus, ...]:
        """The state of every protection, in the order of the strip."""
        stated = {
            one.protection: one for one in (self._rendition(vault), *(self._hub.statuses() if self._hub else ()), *vault.guard.statuses())
        }
        stated[Protection.SESSION_SIGNALS] = self._session_signals.status()
        stated[Protection.KEYRING] = self._keyring_status(vault)
        stated[Protection.TRACE] = vault.tracing.status()
        stated[Protection.PREMISES] = self._premises(vault)
        return tuple(stated.get(one) or ProtectionStatus(one, ProtectionState.UNAVAILABLE, "starting") for one in Protection)

    def changed(self, vault: Vault) -> tuple[ProtectionStatus, ...]:
        """The states if they differ from what was said last, otherwise nothing. Called every second: what went blind is reported.

        A page that nobody watches any more is covered until somebody does.
        """
        for signal in vault.guard.newly_blind():
            self._observed(signal)
        if self._captures is not None and self._captures.is_late != ("unwatched" in self._blanked_for):
            self._blank("unwatched", "unwatched" not in self._blanked_for)
        now = self.statuses(vault)
        if now == self._said:
            return ()
        self._said = now
        return now

    def _keyring_status(self, vault: Vault) -> ProtectionStatus:
        """What the keyring is worth here: what it holds, and whether it is the system's own that answers."""
        status, bus = self._keyring_of(vault).status(), self._bus
        if bus is None:
            return ProtectionStatus(Protection.KEYRING, ProtectionState.UNAVAILABLE, "starting")
        if status.state is not ProtectionState.ENFORCED or bus.standing is Standing.SYSTEMS:
            return status
        reason = "keyring-foreign" if bus.standing is Standing.FOREIGN else "keyring-unknown"
        return ProtectionStatus(Protection.KEYRING, ProtectionState.DETECTED, reason)

    def _examine_bus(self) -> None:
        self._bus = examine_session_bus(os.environ.get("DBUS_SESSION_BUS_ADDRESS", ""))
        if self._bus.standing is Standing.FOREIGN:
            facts = (("because", self._bus.what), *self._bus.facts)
            self._observed(Signal(SignalKind.HOSTILE_ENVIRONMENT, self._clock.now_us(), facts))

    def _keyring_of(self, vault: Vault) -> KeyringState:
        if self._keyring is None:
            world = vault.world
            self._keyring = KeyringState(
                world.keeper,
                workstation_secret_name(world.station.vault_id),
                self._clock,
                lambda work: world.later(Lane.KEYS, work),
                published=DEMO_KEYRING in os.environ,
            )
        return self._keyring

    def _follow_premises(self, vault: Vault, over: Callable[[], None]) -> None:
        policy = vault.world.policy

        def changed(lost: bool) -> None:
            self._blank("premises", lost)
            self._publish(PremisesChanged(lost, lease.left_seconds if lost else 0))

        lease = Lease(
            lambda: vault.binding.lock,
            self._clock,
            policy.premises_proof_seconds,
            policy.premises_lease_seconds,
            changed,
            over,
        )
        vault.world.premises_hold = lambda: lease.holds
        lease.start()
        self._lease = lease

    def _follow_place(self, vault: Vault, remote: RemoteSensor) -> None:
        """Have every report say where the workstation stands; on one bound to no key server, report that this fits no approved place."""
        policy = vault.world.policy
        place = PlaceWatch(
            policy.approved_places,
            PlaceReader(remote.findings),
            lambda: vault.binding.lock is not None or bool(vault.binding.recovery_ends_us),
            self._clock,
            policy.premises_proof_seconds,
            policy.premises_lease_seconds,
        )

        def where() -> Facts:
            apart = self._lease.apart_seconds if self._lease is not None else None
            return (*place.facts(), *((("place_server_clock", str(apart)),) if apart is not None else ()))

        vault.world.place = where
        place.start(self._observed)
        self._place = place

    def _by_evidence(self, policy: Policy) -> ProtectionStatus:
        """The premises of a workstation bound to no key server: evidence, if the station says where it may stand."""
        if not policy.approved_places or self._place is None:
            return ProtectionStatus(Protection.PREMISES, ProtectionState.UNAVAILABLE, "not-bound")
        fit = self._place.fit
        if fit is None:
            reason = "starting" if self._place.is_watching else "not-watching"
            return ProtectionStatus(Protection.PREMISES, ProtectionState.UNAVAILABLE, reason)
        if fit is Fit.NOT_READ:
            return ProtectionStatus(Protection.PREMISES, ProtectionState.UNAVAILABLE, "place-not-read")
        return ProtectionStatus(Protection.PREMISES, ProtectionState.DETECTED, "place-fits-none" if fit in MISFITS else "place-fits")

    def _premises(self, vault: Vault) -> ProtectionStatus:
        if vault.binding.recovery_ends_us:
            return ProtectionStatus(Protection.PREMISES, ProtectionState.UNAVAILABLE, "recovery")
        if vault.binding.lock is None:
            return self._by_evidence(vault.world.policy)
        if self._lease is None or not self._lease.holds:
            return ProtectionStatus(Protection.PREMISES, ProtectionState.UNAVAILABLE, "not-proven")
        if not vault.place_witness.has_front:
            return ProtectionStatus(Protection.PREMISES, ProtectionState.ENFORCED, "key-server")
        if not vault.place_witness.keeps:
            return ProtectionStatus(Protection.PREMISES, ProtectionState.ENFORCED, "place-file-silent")
        reason = "certificate-ends" if vault.place_witness.certificate_ends_soon else "place-file"
        return ProtectionStatus(Protection.PREMISES, ProtectionState.ENFORCED, reason)

    def _blank(self, reason: str, blanked: bool) -> None:
        """Cover the page for a reason, or take that reason away; it is seen again when none is left (any thread)."""
        with self._blanking:
            before = bool(self._blanked_for)
            (self._blanked_for.add if blanked else self._blanked_for.discard)(reason)
            if blanked or before != bool(self._blanked_for):
                self._publish(ScreenBlanked(bool(self._blanked_for)))

    def _follow_custody(self, vault: Vault) -> None:
        """Know at every moment whether any case file is out, whoever has it; the sensors' threads may not ask the store."""
        world = vault.world
        publish = world.publish

        def look() -> None:
            self._case_is_out = bool(world.store.all_held())
            if self._marked is not None:
                self._mark(DeskState.CASE_OUT if self._case_is_out else DeskState.WATCHING)

        def told(event: Event) -> None:
            if isinstance(event, CustodyChanged):
                look()
            publish(event)

        world.publish = told
        look()

    def _mark(self, state: DeskState) -> None:
        """Leave the mark by which the sentinel knows a desk that was killed, and when to stand back; ENDING is the last."""
        with self._marking:
            if self._marked in (state, DeskState.ENDING):
                return
            self._marked = state
            leave_mark(self._directory, state)

    @staticmethod
    def _rendition(vault: Vault) -> ProtectionStatus:
        states = [state for one in vault.renderers for _, state in one.sandbox_state()]
        if not states:
            return ProtectionStatus(Protection.RENDITION, ProtectionState.UNAVAILABLE, "starting")
        if all(state is ProtectionState.ENFORCED for state in states):
            return ProtectionStatus(Protection.RENDITION, ProtectionState.ENFORCED, "sandboxed")
        return ProtectionStatus(Protection.RENDITION, ProtectionState.DETECTED, "partly-sandboxed")


def refused_here(policy: Policy, remote: RemoteSensor) -> tuple[RefusedError, Signal] | None:
    """Judge where this desk's screen is: what the policy refuses, with the signal to report it; None if it refuses nothing.

    Returns:
        RefusedError: screen.remote or screen.virtual-machine.
    """
    if policy.remote_session_refused and (finding := remote.refusal()) is not None:
        return RefusedError("screen.remote"), Signal(SignalKind.REMOTE_SESSION, wall_clock_us(), (*finding.as_facts(), ("refused", "yes")))
    if policy.virtual_machine_refused and remote.virtual_machine:
        facts = (("hypervisor", remote.virtual_machine), ("refused", "yes"))
        return RefusedError("screen.virtual-machine"), Signal(SignalKind.VIRTUAL_MACHINE, wall_clock_us(), facts)
    return None


def _of_processes(vault: Vault) -> tuple[ProcessGuard, MemoryGuard]:
    """The guards of this application's own processes: the interface that started this one, this one, and its rendition workers."""
    interface = os.getppid()

    def processes() -> dict[int, str]:
        workers = {one.process_id: "rendition" for one in vault.renderers if one.process_id is not None}
        return {interface: "interface", os.getpid(): "vault", **workers}

    folders = tuple(path for path in sys.path if path)
    return ProcessGuard(processes, lambda: environment.foreign_libraries(folders)), MemoryGuard()
