"""The private level's store: sessions that only their owner's keys open, shown as one ordinary memory.

Built so:

    ring = open_ring(settings.recipients, settings.identities, user_data_dir, secrets.token_bytes)
    with opened_storage(context) as base:
        sealed = SealedStorage(base, ring)              # gitmem.sealed.storage; keeps the Storage contract
        start(sealed, PRIVATE_REF, writer)              # as for any memory, before the first import
        import_sources(intake._replace(storage=sealed, ref=PRIVATE_REF), sources)
        open_memory(sealed, PRIVATE_REF)                # NoMemory where nothing is sealed here

Neither `open_ring` nor `SealedStorage(…)` reads or makes anything; pyrage and cryptography are loaded with
the first session. `sealed.unopened()` names the sessions that this ring cannot open,
`sealed.damaged()` those that are not what gitmem seals. `gitmem.sealed.tips.virtual_commit` computes what
`read_ref(PRIVATE_REF)` says from the refs alone. `gitmem.sealed.merging.merge` unites the two sides of one
sealed session after a fetch. `gitmem.sealed.recipients` has what `gitmem recipients` does.
"""
