"""RecHead (RPORec): a head that ranks the catalogue by history, thought and answer."""
