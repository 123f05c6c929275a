module doorbuster.example/pause

go 1.26.0
