"""The embedded journal: RocksDB in one folder. See `journal.RocksJournal`."""

from relay.journal.rocksdb.journal import JournalSettings, RocksJournal

__all__ = ["JournalSettings", "RocksJournal"]
