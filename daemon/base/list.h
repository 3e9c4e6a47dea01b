/* list.h - intrusive doubly linked list; a node is in at most one list. Nothing is owned. */
#ifndef LANTOA_BASE_LIST_H
#define LANTOA_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}
static inline void list_push(struct list *head, struct list *n) /* at the end */
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}
static inline void list_push_front(struct list *head, struct list *n)
{
	list_push(head->next, n);
}
static inline void list_del(struct list *n) /* n may be inited and in no list */
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}
static inline struct list *list_pop(struct list *head) /* NULL when empty */
{
	struct list *n = head->next;
	if (n == head)
		return NULL;
	list_del(n);
	return n;
}
#define LIST_FOR(head, it) for (struct list *it = (head)->next; it != (head); it = it->next)
#define LIST_FOR_SAFE(head, it, nx) \
	for (struct list *it = (head)->next, *nx = it->next; it != (head); it = nx, nx = it->next)

#endif
