"""How RocksDB is set up: bounded memory, few rewrites, and a damaged record costs itself only."""

from __future__ import annotations

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    ReadOptions,
)

CLAIMS = "claims-"

_MIB = 1 << 20
#: Blocks, indexes and Bloom filters that are kept in memory; the memtables come on top.
CACHE_BYTES = 48 * _MIB
#: All memtables together; when they are full, the oldest is written out.
MEMTABLE_BYTES = 48 * _MIB
#: The write-ahead log is cut by flushing memtables when it is as long as this.
WAL_BYTES = 96 * _MIB


def database_options(cache: Cache, *, create: bool = False, read_only: bool = False) -> Options:
    """Options of the database as a whole (and of its unused default family)."""
    options = family_options("", cache)
    options.create_if_missing(create)
    options.create_missing_column_families(True)
    options.set_max_background_jobs(2)
    options.set_db_write_buffer_size(MEMTABLE_BYTES)
    options.set_max_total_wal_size(WAL_BYTES)
    options.set_keep_log_file_num(5)
    options.set_max_log_file_size(4 * _MIB)
    options.set_stats_dump_period_sec(0)
    # A reader beside a running relay opens every file at once, before it can be deleted.
    options.set_max_open_files(-1 if read_only else 512)
    # A reader shows what can be read of a folder that a relay would mend first.
    options.set_paranoid_checks(not read_only)
    # A damaged record costs that record, not those behind it; what was dropped is in RocksDB's
    # LOG, and the file is kept aside (`Folder.dropped`).
    options.set_wal_recovery_mode(DBRecoveryMode.skip_any_corrupted_record())
    return options


def family_options(name: str, cache: Cache) -> Options:
    options = Options(raw_mode=True)
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_cache_index_and_filter_blocks(True)
    if name.startswith(CLAIMS):
        # Claims are random keys that are mostly absent: the filter answers without a read.
        table.set_bloom_filter(10, False)
        options.set_memtable_whole_key_filtering(True)
        options.set_memtable_prefix_bloom_ratio(0.05)
        options.set_compression_type(DBCompressionType.none())
    else:
        table.set_block_size(16 * 1024)
        options.set_compression_type(DBCompressionType.lz4())
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(16 * _MIB)
    options.set_max_write_buffer_number(4)
    options.set_level_zero_slowdown_writes_trigger(60)
    options.set_level_zero_stop_writes_trigger(100)
    return options


def passing_by() -> ReadOptions:
    """For reading bodies: they are read once, and would drive filters out of the cache."""
    options = ReadOptions()
    options.fill_cache(False)  # type: ignore[call-arg]  # the stub lacks the argument
    return options
