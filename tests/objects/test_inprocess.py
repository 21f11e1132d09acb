"""The in-process storage keeps the storage contract."""

from __future__ import annotations

import pytest

from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import Storage
from tests.objects.storage_suite import StorageSuite


@pytest.fixture(params=["sha1", "sha256"])
def storage(request: pytest.FixtureRequest) -> Storage:
    return InProcessStorage(request.param)


class TestInProcessStorage(StorageSuite):
    """See the suite."""
