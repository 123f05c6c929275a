package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
)

const (
	provisionerName       = "doorbuster.dev/directory"
	provisionedByKey      = "pv.kubernetes.io/provisioned-by"
	selectedNodeKey       = "volume.kubernetes.io/selected-node"
	volumeDirectoryPrefix = "pvc-"
)

// provisioner makes volumes of type "local" out of directories of one node.
//
// The type "local" and not "hostPath", because the kubelet applies fsGroup only to
// the former, and every store of ours runs as a user of its own.
type provisioner struct {
	node, root string
	client     kubernetes.Interface
	claims     corelisters.PersistentVolumeClaimLister
	volumes    corelisters.PersistentVolumeLister
	classes    storagelisters.StorageClassLister
}

// runVolumeProvisioner serves the claims that the scheduler placed on this node.
//
// NODE_NAME is the node, VOLUME_ROOT the directory that receives one directory a
// volume; it must be mounted at the same path as on the node.
func runVolumeProvisioner(ctx context.Context) error {
	env, err := requiredEnv("NODE_NAME", "VOLUME_ROOT")
	if err != nil {
		return err
	}
	client, err := inCluster()
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, resyncPeriod)
	claims, volumes, classes := factory.Core().V1().PersistentVolumeClaims(),
		factory.Core().V1().PersistentVolumes(), factory.Storage().V1().StorageClasses()
	p := &provisioner{node: env[0], root: env[1], client: client,
		claims: claims.Lister(), volumes: volumes.Lister(), classes: classes.Lister()}
	wake := make(chan struct{}, 1)
	for _, informer := range []cache.SharedIndexInformer{claims.Informer(), volumes.Informer(), classes.Informer()} {
		if _, err := informer.AddEventHandler(waker(wake)); err != nil {
			return fmt.Errorf("watch claims and volumes: %w", err)
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return p.serve(ctx, wake)
}

// waker leaves at most one token in the channel: a pass looks at everything anyway.
func waker(wake chan<- struct{}) cache.ResourceEventHandler {
	leave := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { leave() },
		UpdateFunc: func(any, any) { leave() },
		DeleteFunc: func(any) { leave() },
	}
}

// serve never gives up on an error: the next event or resync tries again.
func (p *provisioner) serve(ctx context.Context, wake <-chan struct{}) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			if err := errors.Join(p.provisionAll(ctx), p.removeReleased(ctx)); err != nil {
				slog.Error("will be tried again", "error", err)
			}
		}
	}
}

func (p *provisioner) provisionAll(ctx context.Context) error {
	claims, err := p.claims.List(labels.Everything())
	if err != nil {
		return err
	}
	var failures []error
	for _, claim := range claims {
		if policy := p.reclaimPolicy(claim); policy != nil {
			failures = append(failures, p.provision(ctx, claim, *policy))
		}
	}
	return errors.Join(failures...)
}

// reclaimPolicy returns the policy of the claim's class if the claim waits for this provisioner, else nil.
func (p *provisioner) reclaimPolicy(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeReclaimPolicy {
	waits := claim.Spec.VolumeName == "" && claim.DeletionTimestamp == nil && claim.Spec.StorageClassName != nil
	if !waits || claim.Annotations[selectedNodeKey] != p.node {
		return nil
	}
	class, err := p.classes.Get(*claim.Spec.StorageClassName)
	if err != nil || class.Provisioner != provisionerName {
		return nil
	}
	if _, err := p.volumes.Get(volumeName(claim)); err == nil {
		return nil
	}
	return class.ReclaimPolicy
}

func volumeName(claim *corev1.PersistentVolumeClaim) string {
	return volumeDirectoryPrefix + string(claim.UID)
}

func (p *provisioner) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim, reclaim corev1.PersistentVolumeReclaimPolicy) error {
	directory := filepath.Join(p.root, volumeName(claim))
	if err := os.MkdirAll(directory, 0o777); err != nil {
		return err
	}
	// Past the umask: a pod without fsGroup runs as a user that nobody knows here.
	if err := os.Chmod(directory, 0o777); err != nil {
		return err
	}
	volume := p.volumeFor(claim, directory, reclaim)
	_, err := p.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create the volume of %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	slog.Info("provisioned", "volume", volume.Name, "namespace", claim.Namespace, "claim", claim.Name)
	return nil
}

func (p *provisioner) volumeFor(claim *corev1.PersistentVolumeClaim, directory string, reclaim corev1.PersistentVolumeReclaimPolicy) *corev1.PersistentVolume {
	onThisNode := corev1.NodeSelectorRequirement{
		Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{p.node}}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        volumeName(claim),
			Annotations: map[string]string{provisionedByKey: provisionerName},
		},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: corev1.ResourceList{
				corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: reclaim,
			StorageClassName:              *claim.Spec.StorageClassName,
			ClaimRef: &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				Local: &corev1.LocalVolumeSource{Path: directory}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{onThisNode}}}}},
		},
	}
}

func (p *provisioner) removeReleased(ctx context.Context) error {
	volumes, err := p.volumes.List(labels.Everything())
	if err != nil {
		return err
	}
	var failures []error
	for _, volume := range volumes {
		if p.mayRemove(volume) {
			failures = append(failures, p.remove(ctx, volume))
		}
	}
	return errors.Join(failures...)
}

// mayRemove is strict about the path: what it allows is deleted recursively.
func (p *provisioner) mayRemove(volume *corev1.PersistentVolume) bool {
	return volume.Annotations[provisionedByKey] == provisionerName &&
		volume.Status.Phase == corev1.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete &&
		volume.Spec.Local != nil &&
		volume.Spec.Local.Path == filepath.Join(p.root, volume.Name) &&
		p.servedHere(volume)
}

// servedHere asks the volume and not the disk, so that a pass that removed the
// directory and then failed is finished by the next one.
func (p *provisioner) servedHere(volume *corev1.PersistentVolume) bool {
	affinity := volume.Spec.NodeAffinity
	if affinity == nil || affinity.Required == nil {
		return false
	}
	for _, term := range affinity.Required.NodeSelectorTerms {
		for _, requirement := range term.MatchExpressions {
			if requirement.Key == corev1.LabelHostname && slices.Contains(requirement.Values, p.node) {
				return true
			}
		}
	}
	return false
}

func (p *provisioner) remove(ctx context.Context, volume *corev1.PersistentVolume) error {
	if err := os.RemoveAll(volume.Spec.Local.Path); err != nil {
		return err
	}
	err := p.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the volume %s: %w", volume.Name, err)
	}
	slog.Info("removed", "volume", volume.Name)
	return nil
}
