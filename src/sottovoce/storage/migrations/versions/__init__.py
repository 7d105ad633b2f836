"""One module per revision, named after it. A revision that was released is never changed."""
