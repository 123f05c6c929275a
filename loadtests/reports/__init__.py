"""What a run leaves behind: its timeline, its summary with the verdict, its picture, and the page of the moment."""
