// Command etcd is the unmodified etcd server.
//
// It has a main package of its own because etcd's module path for the server
// cannot be installed by `go install`: its go.mod holds replace directives.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
