// Command hyperkube is every Kubernetes program of the local cluster in one binary.
//
// The name it is called by chooses the program, so that the node image holds one
// file and a dozen links to it. Kubernetes shipped such a binary under this name
// until 1.19; one link of the shared packages costs 290 s here, seven would cost
// half an hour.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// upstream holds the programs that are Kubernetes' own, each as it ships them.
var upstream = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-proxy":              proxy.NewProxyCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

// ours holds what a published kind node image would take from other projects.
var ours = map[string]func(context.Context) error{
	"node-network":       runNodeNetwork,
	"volume-provisioner": runVolumeProvisioner,
}

func main() {
	name := filepath.Base(os.Args[0])
	if command, ok := upstream[name]; ok {
		os.Exit(cli.Run(command()))
	}
	if err := run(name); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func run(name string) error {
	if name == "kubeadm" {
		return kubeadm.Run()
	}
	program, ok := ours[name]
	if !ok {
		return fmt.Errorf("call this binary by the name of a program, for example through a link named kubelet")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return program(ctx)
}
