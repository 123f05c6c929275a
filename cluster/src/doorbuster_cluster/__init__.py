"""The local cluster: one command from a bare machine to the whole platform, and one back.

`make up` and `make down` call this package. It drives the programs that a person would type (docker, kind, kubectl,
helm) and builds them and the images first where no container registry is in reach.
"""
