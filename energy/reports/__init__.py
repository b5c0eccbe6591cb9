"""What the screens ask, answered from the store: read-only, one file a page. A page's data is in `pages`."""
