// Command coredns is CoreDNS with only the plugins that kubeadm's Corefile names.
//
// The stock build links some fifty plugins, among them cloud DNS clients that
// take longer to compile than everything else here together.
package main

import (
	"github.com/coredns/coredns/coremain"

	// kubeadm's Corefile uses each of these; a missing one is a start-up error.
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

func main() {
	coremain.Run()
}
