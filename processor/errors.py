"""Everything that can go wrong, as one tree, with the exit status of each branch. Pure.

::

    ReplicatorError                 exit 5 (EIO), the original's "I/O failure at run time"
     ├─ UsageError                  exit 22 (EINVAL): arguments or settings that make no sense
     │   └─ MissingSettingError     the same: a required setting is given nowhere
     ├─ NotReadyError               exit 22: the preflight found an error; every finding is printed
     ├─ NotLookedAtError            exit 5: what a command must see first could not be looked at
     ├─ SetupError                  exit 22: a part of the installation is missing
     ├─ UnavailableError            ends no replication: the batch is kept and tried again
     │   ├─ HeldError               the same, every minute: a person has to see to it
     │   ├─ CredentialsError        the same; credentials are looked up anew before the next try
     │   │   └─ RoleError           the same; STS does not give us the role
     │   ├─ ThrottledError          the same; the table works, but not as fast as it is asked
     │   ├─ NotFoundError           the same; a command looks twice, then goes without, or ends
     │   ├─ InUseError              the same; whoever makes a table waits for the one that is there
     │   └─ ConditionFailedError    another writer was there first; whoever sets the condition decides
     ├─ DaemonGoneError             exit 6 of a child, which nobody sees: its daemon was killed or has stopped
     ├─ RefusedError                exit 5: the destination will never accept this change
     │   └─ UnviewableError         the same: what would be written can't be made of the source's item
     ├─ StoppedByRefusalError       exit 22: the same, where onError=stop ends the replication or a copy
     │   └─ KeySchemaError          the same: the destination's key is no longer the source's
     ├─ LeaseLostError              the shard is another daemon's now, or soon; exit 5 if KCL still hands it over
     ├─ MalformedRecordError        a stream record that can't be understood; its shard is held
     ├─ MalformedItemError          exit 5: an item or key that is no DynamoDB JSON
     ├─ UnsettledError              exit 1 of a redrive: the source changes a key too often for it to be copied
     ├─ CheckpointError             exit 5: KCL refused a checkpoint that it should have taken
     ├─ StoppedError                exit 130 or 143, by the signal: a command was stopped before it was through
     ├─ CopyTooLateError            exit 5: a copy takes longer than the stream keeps changes
     ├─ StalledError                exit 5: a command could not go on for a long time
     ├─ TakenError                  exit 5: others go on with this process's part of shared work
     │   ├─ CopyTakenError          the same: a copy of this task is run by somebody else
     │   └─ VerifyTakenError        the same: of a shared verification
     ├─ CareTakenError              ends nothing: another caretaker of the fleet looks after the task now
     ├─ PassTakenError              exit 5: a verification of this task is gone on with by somebody else
     ├─ ProcessFailedError          the status of the error that ended one of a command's processes
     ├─ TransferError               exit 5: a managed export or import can't become a copy
     ├─ OutputError                 exit 5: a file of results can't be written any more
     └─ DeadLetterError             exit 5: a change could not be set aside, so it is kept

Foreign exceptions become one of these at the edge where they appear (``aws/errors.py`` for botocore's,
``record_processor.py`` for kclpy's), always ``from`` the original.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Mapping, Sequence
from typing import Any


class ReplicatorError(Exception):
    """Any failure of ours. ``str()`` of it is the whole message for a person: object, value, consequence, remedy.

    :cvar findings: those of ``reporting/findings.py`` for which it was raised, for scripts
    """

    exit_status = errno.EIO
    findings: Sequence[Any] = ()


def let_go(error: BaseException | None) -> None:
    """Drop an error's trace, and what its frames hold (requests, answers): it may be kept for as long as an outage."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # an error that is raised again and again may be its own cause
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None  # which grows each time that one is raised again
        error = error.__cause__ or error.__context__


class UsageError(ReplicatorError):
    """Arguments, environment or properties that can't be used."""

    exit_status = errno.EINVAL


class MissingSettingError(UsageError):
    """A required setting is given nowhere."""


class NotReadyError(ReplicatorError):
    """The tables, the stream or the permissions aren't ready for replication."""

    exit_status = errno.EINVAL


class NotLookedAtError(ReplicatorError):
    """An outage hides whether tables, stream or permissions are ready; the same command may work later."""


class SetupError(ReplicatorError):
    """A part of the installation is missing or can't be used."""

    exit_status = errno.EINVAL

    def __init__(self, what: str, value: str, consequence: str, remedy: str) -> None:
        super().__init__(f"{what}: {value}. {consequence}. {remedy}.")
        self.what = what
        self.value = value
        self.consequence = consequence
        self.remedy = remedy


class UnavailableError(ReplicatorError):
    """AWS did not do it now; the same call may succeed later.

    ``code`` is AWS's error code, or the name of botocore's exception where no answer came.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class ConditionFailedError(UnavailableError):
    """A conditional write found something else than it asked for.

    :param item: the item that was there, as DynamoDB JSON; None if there was none, or the answer does not have it
    """

    def __init__(self, message: str, *, code: str, item: bytes | None) -> None:
        super().__init__(message, code=code)
        self.item = item

    @property
    def found(self) -> bool:
        """Whether there was an item at all, as far as the answer says."""
        return self.item is not None


class HeldError(UnavailableError):
    """A shard waits at a change until a person has seen to it.

    :param sequence_number: the change's, or that of the last one in a batch that can't be understood
    :param fault: what is wrong with it, which is the message's first part
    :param fields: more about the change, for the log
    :param is_bug: whether the log is to have the exception at hand, too
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        sequence_number: str,
        fault: str,
        fields: Mapping[str, str] | None = None,
        is_bug: bool = False,
    ) -> None:
        super().__init__(message, code=code)
        self.is_bug = is_bug
        self.sequence_number = sequence_number
        self.fault = fault
        self.fields = dict(fields or {})


class CredentialsError(UnavailableError):
    """AWS doesn't accept our credentials, or there are none: new ones may be there at the next look.

    :param is_denial: AWS knows whose they are, and refuses the call: that stays until somebody allows it
    """

    def __init__(self, message: str, *, code: str, is_denial: bool = False) -> None:
        super().__init__(message, code=code)
        self.is_denial = is_denial


class RoleError(CredentialsError):
    """The role of an identity may not be assumed; the message is STS's."""


class ThrottledError(UnavailableError):
    """A table that works is asked for more than it may be."""


class NotFoundError(UnavailableError):
    """The table, stream, shard, export or import that was asked for is not there, as far as one answer tells."""

    def __init__(self, message: str, *, code: str = "ResourceNotFoundException") -> None:
        super().__init__(message, code=code)


class InUseError(UnavailableError):
    """A table of this name is there already, or DynamoDB is just making, changing or deleting it."""


class DaemonGoneError(ReplicatorError):
    """The daemon was killed, or has stopped, with a batch in hand: it is applied again from the last checkpoint."""

    exit_status = 6
    consequence = "Writing stops here; the batch in hand is applied again from the last checkpoint."

    def __init__(self) -> None:
        super().__init__(f"The daemon has gone. {self.consequence}")


class LeaseLostError(ReplicatorError):
    """The shard's lease ran out or was taken while a batch was in hand. Its next owner goes on from the checkpoint."""

    def __init__(self) -> None:
        super().__init__(
            "This shard's lease is lost, and its daemon still hands over its records. Nothing more is written here, "
            "and nothing is checkpointed. Start the daemon again; if it happens again, please report it."
        )


class RefusedError(ReplicatorError):
    """The destination answered that it will not take this write, now or later."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnviewableError(RefusedError):
    """What is written of a source's item can't be made of it, now or later: its ``transform`` raised, for example.

    The message is a clause that names the fault and never has a value of the item.
    """


class StoppedByRefusalError(ReplicatorError):
    """A change that the destination will never accept, where the user wants that to be the end."""

    exit_status = errno.EINVAL


class MalformedRecordError(ReplicatorError):
    """A stream record without what a change needs."""


class MalformedItemError(ReplicatorError, ValueError):
    """What came as an item, or as a key, is none."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"Bad answer: {fault}. Nothing was decided by it, and what was done stays done. See what answers at the "
            "endpoint (a proxy?), then try again."
        )


class UnsettledError(ReplicatorError):
    """The source changed a key each time that it was copied."""

    exit_status = 1


class KeySchemaError(StoppedByRefusalError):
    """The destination's key is another one than the source's, so it would refuse every change."""


class CheckpointError(ReplicatorError):
    """KCL did not store a checkpoint, and trying again would not help."""


class StoppedError(ReplicatorError):
    """A signal ended a command before it was through."""

    def __init__(self) -> None:
        super().__init__("Stopped before it was through. What it did stays done; run it again for the rest.")


class StalledError(ReplicatorError):
    """Nothing worked for as long as a command may wait."""

    def __init__(self, *, seconds: float, reason: str) -> None:
        super().__init__(
            f"Nothing could be read or written for {seconds:.0f} s: {reason}. What was done stays done. Put that "
            "right, and give the same command again: it goes on where it was."
        )


class CopyTooLateError(ReplicatorError):
    """The stream is about to drop what was written since the copy began."""

    def __init__(self, *, hours: float, concurrent: bool) -> None:
        what, remedy = "is not through", "Give the same command with --concurrent, then start the replication, both"
        if concurrent:
            what, remedy = "no replication has begun", "Start the replication, then give the same command, the first"
        super().__init__(
            f"The copy began {hours:.1f} hours ago and {what}: the stream keeps changes for 24 hours, so those since "
            f"it began would be lost. {remedy} before 23.5 hours are over: it goes on where it was, beside the "
            "replication. Later than that, --restart is needed, and then verify --repair "
            "--deleteExtra for what was deleted meanwhile."
        )


class TakenError(ReplicatorError):
    """Work that several processes share goes on without this one."""


class CopyTakenError(TakenError):
    """Somebody else runs this task's copy now."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"Task table {table}: another process has taken over this copy. This one writes nothing more; the other "
            "goes on from where it was. Let that one finish, or stop it and run copy again."
        )


class VerifyTakenError(TakenError):
    """The others go on with a shared verification without this process, or it has been begun anew."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"Task table {table}: this shared verification goes on without this process, which stood still for too "
            "long, or another one has been begun. Nothing more is written here. Give the same command again, to share "
            "the work that is left."
        )


class CareTakenError(ReplicatorError):
    """Another caretaker looks after this task now."""

    def __init__(self, table: str) -> None:
        super().__init__(f"Task table {table}: another caretaker has taken over. This one does nothing more.")


class PassTakenError(ReplicatorError):
    """Somebody else goes on with this task's verification now."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"Task table {table}: another process has taken over this verification, and goes on from where it was. "
            "This one ends; nothing is lost. Let the other one finish."
        )


class ProcessFailedError(ReplicatorError):
    """An error of one of the processes among which a command shares its work; the message is that error's."""

    def __init__(self, message: str, *, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class TransferError(ReplicatorError):
    """An export or import failed, is incomplete, or came too late."""


class OutputError(ReplicatorError):
    """The file of ``--output`` took what came before, and takes no more."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"--output {path}: can't be written any more ({reason}). It does not have all keys that differ; the report "
            "on standard output has the counts so far. Make room, or name another file, and run verify again."
        )


class DeadLetterError(ReplicatorError):
    """Dead letters could not be written, read or removed; none of them, and no change, is lost."""
