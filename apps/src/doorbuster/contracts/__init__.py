"""Messages that cross a process: their types, their versions, their topics and who reads them."""
