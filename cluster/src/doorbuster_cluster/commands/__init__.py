"""What a person can ask for: doctor, up, down, status, diagnose, clean, images. One file each."""
