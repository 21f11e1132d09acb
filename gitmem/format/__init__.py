"""The memory's format (docs/formats/store.md): records, segments, paths, manifests and their union.

Pure: bytes and values in, bytes and values out; the objects themselves come through `gitmem.objects`.
"""
