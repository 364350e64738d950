/* list.h - intrusive doubly linked list; the head is a struct list like the links. */
#pragma once

#include "base/util.h"

struct list {
    struct list *prev, *next;
};

static inline void list_init(struct list *list)
{
    list->prev = list->next = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

/* Inserts ELEM before POS; with the head as POS that is at the end. */
static inline void list_insert(struct list *pos, struct list *elem)
{
    elem->prev = pos->prev;
    elem->next = pos;
    pos->prev->next = elem;
    pos->prev = elem;
}

static inline void list_push_back(struct list *head, struct list *elem)
{
    list_insert(head, elem);
}

static inline void list_push_front(struct list *head, struct list *elem)
{
    list_insert(head->next, elem);
}

/* Leaves ELEM as a list of its own, so that removing twice is harmless. */
static inline void list_remove(struct list *elem)
{
    elem->prev->next = elem->next;
    elem->next->prev = elem->prev;
    list_init(elem);
}

/* The link in an object, by address alone: at the end VAR is where an object would be if the head were in one. */
#define LIST_LINK_(VAR, MEMBER)                                                                    \
    ((struct list *)(void *)((char *)(VAR) + offsetof(__typeof__(*(VAR)), MEMBER)))

/* Moves all of FROM to the end of HEAD. */
static inline void list_splice_back(struct list *head, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = head->prev;
    head->prev->next = from->next;
    from->prev->next = head;
    head->prev = from->prev;
    list_init(from);
}

#define LIST_FOR_EACH(VAR, MEMBER, HEAD)                                                           \
    for (VAR = CONTAINER_OF((HEAD)->next, __typeof__(*(VAR)), MEMBER);                             \
         LIST_LINK_(VAR, MEMBER) != (HEAD);                                                        \
         VAR = CONTAINER_OF(LIST_LINK_(VAR, MEMBER)->next, __typeof__(*(VAR)), MEMBER))

#define LIST_FOR_EACH_SAFE(VAR, NEXT, MEMBER, HEAD)                                                \
    for (VAR = CONTAINER_OF((HEAD)->next, __typeof__(*(VAR)), MEMBER),                             \
        NEXT = CONTAINER_OF(LIST_LINK_(VAR, MEMBER)->next, __typeof__(*(VAR)), MEMBER);            \
         LIST_LINK_(VAR, MEMBER) != (HEAD); VAR = NEXT,                                            \
        NEXT = CONTAINER_OF(LIST_LINK_(VAR, MEMBER)->next, __typeof__(*(VAR)), MEMBER))

/* The first object, for a list that is not empty. */
#define LIST_FIRST(TYPE, MEMBER, HEAD) CONTAINER_OF((HEAD)->next, TYPE, MEMBER)
